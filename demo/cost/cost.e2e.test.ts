import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type ConsoleVisit, followInConsole } from "../../test/servers/console-reader.ts";
import { dashboardFolder, endedWell, type WatchedDemo, watchDemo } from "../../test/servers/watch-demo.ts";

/** Prompt caching and security have scenarios of their own; no batch lies at a provider here. */
const others = ["prompt-caching.json", "batches-and-tickets.json", "security.json"];
const dashboards = readdirSync(dashboardFolder).filter((name) => !others.includes(name));

/** Panels that this scenario does not feed, each with the reason. */
const notFed: readonly { readonly expr: string; readonly why: string }[] = [
  { expr: "max(runbookd_frozen)", why: "nobody freezes anything" },
  { expr: "runbookd_refusals_total", why: "no guardrail refuses" },
  { expr: "llm_usage_unreadable_total", why: "every report can be read" },
  { expr: "llm_usage_conflict_total", why: "no report contradicts another" },
  { expr: "llm_unpriced_tokens_total", why: "every model has a price" },
  { expr: "llm_tickets_stalled", why: "no ticket stalls" },
  { expr: "llm_rollout_", why: "no rollout runs" },
  { expr: "llm_route_", why: "the application uses no route" },
  { expr: "llm_model_retirement_timestamp_seconds", why: "no route names a model" },
];

/**
 * The loop, whole and with real parts: redis-server, Prometheus, Alertmanager, an SMTP receiver, and a worker killed with SIGKILL in the middle.
 * It is the demo, so that what users are shown is what is tested. Each change waits for a person, who reads and answers in the console
 * in Chromium, signed in by the link that the demo prints. Needs the build.
 */
let demo: WatchedDemo;
let visit: ConsoleVisit;
const over = new AbortController();

beforeAll(async () => {
  let onLine = (_line: string) => {};
  const printed = new Promise<string>((resolve) => {
    onLine = (line) => {
      const [, link] = /in the console: (\S+)/.exec(line) ?? [];
      if (link !== undefined) resolve(link);
    };
  });
  const reading = printed.then(async (link) =>
    followInConsole(link, { runbook: "cost-incident-response", idleMs: 240_000, signal: over.signal }),
  );
  const watching = watchDemo(["--kill-worker", "--approve"], {
    dashboards,
    onLine: (line) => onLine(line),
    until: reading,
    signal: over.signal,
  });
  [demo, visit] = await Promise.all([watching, reading]);
}, 360_000);

afterAll(() => over.abort());

describe("a real budget breach", () => {
  it("is detected, handled, verified and reported, although the worker was killed", () => {
    // The demo judges from outside: stages seen, no committed step repeated, each effect on the budget seen once, one report.
    expect(demo.ending).toEqual(endedWell);
    expect(demo.result).toMatchObject({
      outcome: "succeeded",
      culprit: { prompt: "implement", operation: "plan" },
      cause: {
        segment: { prompt: "implement", operation: "plan" },
        factor: "attempts_per_ticket",
        share: expect.any(Number),
        coincides: "release 1.5.0",
        controls: { maxAttempts: 1 },
      },
      ticketsStartedWhilePaused: 0,
    });
  });

  it("happens in order", () => {
    const names = ["alertFiringAt", "acceptedAt", "firstEffectAt", "spendStoppedAt", "resumedAt", "verifiedAt", "reportSentAt"];
    const times = names.map((name) => Date.parse(String(demo.result[name])));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it("stays inside the budget that it names", () => {
    expect(Number(demo.result["costMicroUsd"])).toBeGreaterThan(0);
    expect(Number(demo.result["costMicroUsd"])).toBeLessThan(Number(demo.result["budgetMicroUsd"]));
    expect(Number(demo.result["providerDifferenceRatio"] ?? Number.NaN)).toBeLessThanOrEqual(0.005);
  });
});

describe("the console over that system", () => {
  it("signs in by the printed link, asks about each change, and takes each answer in the page", () => {
    expect(visit.firstHeading).toMatch(/^No question waits|question waits for a person$/);
    for (const part of ["Close admission", "Stop", "limits", "Open"]) expect(visit.approved.join("\n")).toContain(part);
    expect(visit.approved.length).toBeGreaterThanOrEqual(4);
  });

  it("follows the run to its end without being loaded again, also over the death of its worker", () => {
    expect(visit.reloads).toBe(0);
    expect(visit.ending).toMatch(/^Cost incident response\s+Succeeded/);
    expect(visit.states.slice(0, 8)).toEqual(Array.from({ length: 8 }, () => "done"));
    expect([...visit.shownStates]).toEqual(expect.arrayContaining(["to come", "waits for a person", "done"]));
    expect(visit.events).toContain("took the run over");
  });

  it("is accessible, as wide as the screen, and quiet: no message, no request to another origin, no violation of its policy", () => {
    expect([...visit.faults, ...visit.disturbances]).toEqual([]);
  });
});

describe("the dashboards over that Prometheus", () => {
  it("have no query that it refuses", () => {
    expect(demo.panels.length).toBeGreaterThan(40);
    expect(demo.panels.filter(({ kind }) => kind === "error")).toEqual([]);
  });

  it("show data in every panel that this scenario feeds", () => {
    const empty = demo.panels.filter(({ kind, expr }) => kind === "empty" && !notFed.some((one) => expr.includes(one.expr)));
    expect(empty.map(({ dashboard, panel, expr }) => `${dashboard} / ${panel}: ${expr}`)).toEqual([]);
  });
});
