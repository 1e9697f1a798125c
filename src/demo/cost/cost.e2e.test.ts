import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { executePanels, type PanelResult } from "../../testing/execute-panels.ts";

/**
 * The loop, whole and with real parts: redis-server, Prometheus, Alertmanager, an SMTP receiver, and a worker killed with SIGKILL in the middle.
 * It is the demo, so that what users are shown is what is tested. Needs the build.
 */
const root = join(import.meta.dirname, "../../..");
/** Prompt caching has a scenario of its own; no batch lies at a provider here. */
const others = ["prompt-caching.json", "batches-and-tickets.json"];
const names = readdirSync(join(root, "grafana/dashboards")).filter((name) => !others.includes(name));
const dashboards = names.map((name) => readFileSync(join(root, "grafana/dashboards", name), "utf8"));

/** Panels that this scenario does not feed, each with the reason. */
const notFed: readonly { readonly expr: string; readonly why: string }[] = [
  { expr: "max(runbookd_frozen)", why: "nobody freezes anything" },
  { expr: "runbookd_refusals_total", why: "no guardrail refuses" },
  { expr: "llm_unpriced_tokens_total", why: "every model has a price" },
  { expr: "llm_tickets_stalled", why: "no ticket stalls" },
];

/** A few scrapes, so that what happened last is in Prometheus. */
const settleMs = 5000;

let demo: ChildProcess;
let panels: readonly PanelResult[] = [];
let result: Readonly<Record<string, unknown>> = {};
let exitCode: unknown;
const lines: string[] = [];

beforeAll(async () => {
  const beganAt = Date.now();
  demo = spawn(process.execPath, [join(root, "dist/src/demo/main.js"), "--json", "--kill-worker"], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const gone = once(demo, "exit");
  const { stdout, stderr } = demo;
  if (stdout === null || stderr === null) throw new Error("The demo has no output.");
  stderr.resume();
  let prometheusUrl = "";
  for await (const line of createInterface({ input: stdout })) {
    lines.push(line);
    prometheusUrl = /Prometheus (http:\/\/\S+)/.exec(line)?.[1] ?? prometheusUrl;
    if (!line.includes("until Ctrl-C")) continue;
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    panels = await executePanels(dashboards, prometheusUrl, { from: beganAt, to: Date.now(), stepSeconds: 2 });
    demo.kill("SIGINT");
  }
  [exitCode] = await gone;
  const parsed: unknown = JSON.parse(lines.findLast((line) => line.startsWith("{")) ?? "{}");
  if (typeof parsed === "object" && parsed !== null) result = { ...parsed };
}, 360_000);

afterAll(() => {
  demo.kill("SIGKILL");
});

describe("a real budget breach", () => {
  it("is detected, handled, verified and reported, although the worker was killed", () => {
    // The demo judges from outside: stages seen, no committed step repeated, each effect on the budget seen once, one report.
    expect({ exitCode, faults: lines.filter((line) => line.startsWith("✘")), log: exitCode === 0 ? [] : lines.slice(-60) }).toEqual({
      exitCode: 0,
      faults: [],
      log: [],
    });
    expect(result).toMatchObject({
      outcome: "succeeded",
      culprit: { prompt: "implement", operation: "plan" },
      ticketsStartedWhilePaused: 0,
    });
  });

  it("happens in order", () => {
    const names = ["alertFiringAt", "acceptedAt", "firstEffectAt", "spendStoppedAt", "resumedAt", "verifiedAt", "reportSentAt"];
    const times = names.map((name) => Date.parse(String(result[name])));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it("stays inside the budget that it names", () => {
    expect(Number(result["costMicroUsd"])).toBeGreaterThan(0);
    expect(Number(result["costMicroUsd"])).toBeLessThan(Number(result["budgetMicroUsd"]));
  });
});

describe("the dashboards over that Prometheus", () => {
  it("have no query that it refuses", () => {
    expect(panels.length).toBeGreaterThan(40);
    expect(panels.filter(({ kind }) => kind === "error")).toEqual([]);
  });

  it("show data in every panel that this scenario feeds", () => {
    const empty = panels.filter(({ kind, expr }) => kind === "empty" && !notFed.some((one) => expr.includes(one.expr)));
    expect(empty.map(({ dashboard, panel, expr }) => `${dashboard} / ${panel}: ${expr}`)).toEqual([]);
  });
});
