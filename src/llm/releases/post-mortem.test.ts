import { describe, expect, it } from "@jest/globals";
import type { JournalEntry } from "../../../packages/sdk/src/wire/journal.ts";
import { aSecurityIncident } from "../../../test/builders/a-security-incident.ts";
import { createActionBench, outputOf } from "../../../test/builders/action-bench.ts";
import { aBudgetState } from "../../../test/fakes/fake-budget-control.ts";
import { createActions } from "../../app/action-registry.ts";
import { StepFailure } from "../../core/failure.ts";
import { createSimulatedFeatures } from "../../rehearsal/simulated-features.ts";
import type { CodeHost } from "./code-host.ts";
import { createPostMortem } from "./post-mortem.ts";
import { renderPostMortem } from "./render-post-mortem.ts";

const start = Date.UTC(2026, 0, 5, 12);
const at = (minutes: number) => start + minutes * 60_000;
const fence = "```";

/** A run that contained, replayed an attack and was not approved. */
const journal: readonly JournalEntry[] = [
  {
    kind: "accepted",
    at: at(0),
    runId: "run-1",
    request: {
      runbookId: "security-incident",
      runbookSha: "0",
      mode: "auto",
      params: {},
      source: "webhook",
    },
  },
  {
    kind: "applied",
    at: at(1),
    step: "disable_affected_features",
    attempt: 1,
    output: { sentence: "It is off.", gaps: ["Budget x lets tickets begin."] },
  },
  { kind: "completed", at: at(1), step: "disable_affected_features" },
  { kind: "applied", at: at(2), step: "replay_on_the_fix", attempt: 1, output: { hits: 0, tries: 60, bound: 0.0487 } },
  { kind: "completed", at: at(2), step: "replay_on_the_fix" },
  {
    kind: "failed",
    at: at(3),
    step: "merge",
    attempt: 1,
    failure: { reason: "stopped_by_person", message: `No.\n${fence}\n<script>@all`, applied: "no" },
  },
  { kind: "skipped", at: at(4), step: "deploy", why: "Jumped over." },
];

const facts = { runId: "run-1", feature: "export", at: at(5), journal, findings: undefined };

describe("a post-mortem", () => {
  it("says what happened and what was not shown", () => {
    const { timeline, gaps, begun } = createPostMortem(facts);
    expect(begun).toBe(at(0));
    expect(timeline.map(({ text }) => text)).toEqual([
      "The run began.",
      "Disable affected features: done: It is off.",
      "Replay on the fix: done.",
      expect.stringContaining("Merge: attempt 1 failed: No."),
      "Deploy: skipped: Jumped over.",
    ]);
    expect(gaps).toEqual([
      "The findings cannot be read.",
      expect.stringContaining("Merge failed: No."),
      "Deploy was not done: Jumped over.",
      "Disable affected features: Budget x lets tickets begin.",
      "Replay on the fix: None of 60 tries worked; that an attack works in up to 4.87 % of tries is not excluded.",
    ]);
  });

  it("says that the record is missing where it cannot be read", () => {
    expect(createPostMortem({ ...facts, journal: undefined }).gaps).toContain(
      "The record of the run cannot be read, so that the timeline is not complete.",
    );
  });

  it("holds what others wrote as plain text within its fences, without secrets", () => {
    const key = `sk-ant-api03-${"A1b2C3d4".repeat(12)}`;
    const entry: JournalEntry = {
      kind: "skipped",
      at: at(4),
      step: "rotate",
      why: `${fence} # Heading [link](https://evil.example) ${key}`,
    };
    const text = renderPostMortem(createPostMortem({ ...facts, journal: [...journal, entry] }));
    expect(text).not.toContain(key);
    const outside = text.split(/^```(?:text)?$/m).filter((_part, nth) => nth % 2 === 0);
    expect(outside.join("")).not.toMatch(/script|evil|Heading|@all/);
    expect(text.split("\n").filter((line) => line.startsWith(fence))).toHaveLength(4);
  });

  it("fits into an issue however long the run was", () => {
    const long = Array.from(
      { length: 5000 },
      (_, nth): JournalEntry => ({ kind: "skipped", at: at(nth), step: `step_${nth}`, why: "x".repeat(2000) }),
    );
    const text = renderPostMortem(createPostMortem({ ...facts, journal: long }));
    expect(text.length).toBeLessThan(65_000);
    expect(text).toContain("lines are left out");
  });
});

describe("write-post-mortem", () => {
  function aBench(openIssue?: CodeHost["openIssue"]) {
    const bench = createActionBench(aBudgetState("checkout"));
    const {
      answer: _answer,
      followers: _followers,
      ...simulated
    } = createSimulatedFeatures(aSecurityIncident(), bench.clock, () => undefined);
    const files = new Map<string, string>();
    const never = () => Promise.reject(new Error("It is not asked for that."));
    const host = {
      findFixes: never,
      openChange: never,
      readChange: never,
      mergeChange: never,
      sameFiles: never,
      openIssue: openIssue ?? never,
    };
    const features = simulated.features.map((feature) => ({ ...feature, repository: "acme/desk", codeHost: "git" as const }));
    const ports = {
      ...bench.ports,
      ...simulated,
      features,
      codeHosts: openIssue === undefined ? {} : { git: host },
      readJournal: async () => journal,
      postMortems: {
        async write(name: string, text: string) {
          files.set(name, text);
          return `/data/${name}.md`;
        },
      },
    };
    const bound = createActions(ports).find("write-post-mortem")?.bind({ feature: "export" });
    if (bound?.ok !== true) throw new Error(JSON.stringify(bound));
    return { ...bench, action: bound.action, files };
  }

  it("opens one issue for a run, with the end of the 72 hours", async () => {
    const issues = new Map<string, string>();
    const bench = aBench(async ({ key, body }) => {
      issues.set(key, body);
      return { id: "issue/7", url: "https://code.example/acme/desk/issues/7" };
    });
    const plan = await bench.action.plan(bench.context());
    const output = outputOf(await bench.action.run(plan, bench.context()));
    await bench.action.run(plan, bench.context({ idempotencyKey: "another attempt" }));
    expect(output).toMatchObject({
      id: "issue/7",
      url: "https://code.example/acme/desk/issues/7",
      report_until: "2026-01-08T12:00:00.000Z",
    });
    expect([...issues.keys()]).toEqual(["runbookd-post-mortem-run-1"]);
    expect([...issues.values()].join("")).toContain("the authority expects a report until 2026-01-08T12:00:00.000Z");
    expect(bench.files.size).toBe(0);
  });

  it("writes a file where no code host is known, or none takes it", async () => {
    const refusing = aBench(() =>
      Promise.reject(new StepFailure({ reason: "refused_by_target", message: "Issues are disabled.", applied: "no" })),
    );
    for (const bench of [aBench(), refusing]) {
      const output = outputOf(await bench.action.run(await bench.action.plan(bench.context()), bench.context()));
      expect(output).toMatchObject({ id: "/data/post-mortem-run-1.md", url: "" });
      expect(bench.files.get("post-mortem-run-1")).toContain("# Security incident in export");
    }
  });

  it("is tried again where it is not known whether the issue was opened", async () => {
    const failure = new StepFailure({ reason: "unknown_outcome", message: "The connection broke.", applied: "unknown" });
    const bench = aBench(() => Promise.reject(failure));
    await expect(bench.action.run(await bench.action.plan(bench.context()), bench.context())).rejects.toBe(failure);
    expect(bench.files.size).toBe(0);
  });
});
