import { describe, expect, it } from "@jest/globals";
import type { Alert } from "../../../packages/sdk/src/wire/alerts.ts";
import type { Failure } from "../../../packages/sdk/src/wire/failures.ts";
import type { Freeze } from "../../../packages/sdk/src/wire/freezes.ts";
import type { JournalEntry } from "../../../packages/sdk/src/wire/journal.ts";
import type { Runbook } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { RunRequest } from "../../../packages/sdk/src/wire/runs.ts";
import { anExpression, aPromqlCheck, aRunbook, aStep } from "../../../test/builders/a-runbook.ts";
import { createFakeClock, type FakeClock } from "../../../test/fakes/fake-clock.ts";
import { done, type ScriptedAction, type ScriptedActions, scriptActions } from "../../../test/fakes/scripted-actions.ts";
import type { ActionContext, ActionResult } from "../../core/action.ts";
import { StepFailure } from "../../core/failure.ts";
import type { Verdict } from "../../core/verdict.ts";
import { createMemoryRunJournal, type MemoryRunJournal } from "../../rehearsal/memory-run-journal.ts";
import type { Append, AppendResult } from "../store.ts";
import type { AlertStanding } from "./alert-standing.ts";
import type { Candidate } from "./candidate.ts";
import { createExecutor, type Execution, type Executor } from "./execute-run.ts";
import type { MetricSource } from "./metric-source.ts";
import type { RunEvent } from "./run-event.ts";

const never = new AbortController().signal;
const anAlert: Alert = {
  status: "firing",
  labels: { alertname: "Burn" },
  annotations: {},
  startsAt: 0,
  generatorUrl: "",
  fingerprint: "f1",
};

interface Bench {
  readonly clock: FakeClock;
  readonly ledger: MemoryRunJournal;
  readonly actions: ScriptedActions;
  readonly executor: Executor;
  /** Ids of the questions that people were told of. */
  readonly announced: readonly string[];
  readonly published: readonly RunEvent[];
  /** Executes until the run ends or sleeps for a person, letting time pass. */
  run(): Promise<Execution>;
  kinds(): string[];
  last(kind: JournalEntry["kind"]): JournalEntry | undefined;
}

interface Options {
  readonly request?: Partial<RunRequest>;
  readonly guard?: (candidate: Candidate) => Verdict | Promise<Verdict>;
  readonly metrics?: MetricSource["query"];
  readonly frozen?: () => Promise<Freeze | undefined>;
  readonly standing?: AlertStanding;
  /** Writes instead of the journal. */
  readonly append?: (append: Append, write: () => Promise<AppendResult>) => Promise<AppendResult>;
}

function aBench(runbook: Runbook, scripts: readonly ScriptedAction[], options: Options = {}): Bench {
  const clock = createFakeClock();
  const ledger = createMemoryRunJournal(clock);
  const actions = scriptActions(scripts);
  ledger.create("run_1", { runbookId: "test", runbookSha: runbook.sha256, mode: "auto", params: {}, source: "manual", ...options.request });
  let question = 0;
  const announced: string[] = [];
  const published: RunEvent[] = [];
  const executor = createExecutor(
    {
      journal: {
        leaseMs: ledger.leaseMs,
        claim: async (runId) => ledger.claim(runId),
        renew: async (lease) => ledger.renew(lease),
        append: async (lease, append) =>
          (options.append ?? (async (_, write) => write()))(append, async () => ledger.append(lease, append)),
      },
      runbooks: { get: async (sha) => (sha === runbook.sha256 ? runbook : undefined) },
      actions,
      guard: options.guard ?? (() => ({ kind: "allow", claims: [] })),
      metrics: { query: options.metrics ?? (async () => ({ kind: "unavailable", reason: "no Prometheus in this test" })) },
      publish: (event) => published.push(event),
      ...(options.frozen !== undefined && { frozen: options.frozen }),
      ...(options.standing !== undefined && { standing: options.standing }),
      announce: async (question, _runbook, escalated) => void announced.push(`${question.id}${escalated ? " escalated" : ""}`),
    },
    { clock, questionId: () => `q_${(question += 1)}`, cooldownOf: () => [] },
  );
  return {
    clock,
    ledger,
    actions,
    executor,
    announced,
    published,
    async run() {
      for (;;) {
        const execution = executor.execute("run_1", never);
        let settled = false;
        const watched = execution.finally(() => {
          settled = true;
        });
        for (let round = 0; round < 20_000; round += 1) {
          await new Promise((resolve) => setImmediate(resolve));
          if (settled) break;
          if (clock.sleeping() > 0) await clock.advance(100);
        }
        const result = await watched;
        if (result !== "waiting" || ledger.questions().length > 0) {
          if (result !== "suspended" || ledger.questions().length > 0) return result;
        }
        await clock.advance(1000);
      }
    },
    kinds: () => ledger.journal("run_1").map((entry) => entry.kind),
    last: (kind) => ledger.journal("run_1").findLast((entry) => entry.kind === kind),
  };
}

async function survivesNot(write: () => Promise<AppendResult>): Promise<AppendResult> {
  const result = await write();
  return result.kind === "ok" ? { ...result, unreplicated: true } : result;
}

function failing(failure: Partial<Failure>): () => never {
  return () => {
    throw new StepFailure({ reason: "refused_by_target", message: "no", applied: "no", ...failure });
  };
}

describe("a run", () => {
  it("does its steps in order and succeeds", async () => {
    const bench = aBench(aRunbook([aStep("one"), aStep("two")]), [{ name: "one" }, { name: "two" }]);
    expect(await bench.run()).toBe("ended");
    expect(bench.actions.calls).toEqual(["run one", "run two"]);
    expect(bench.last("finished")).toMatchObject({ outcome: "succeeded" });
  });

  it("publishes its claim, the end of each attempt, its first effect and its end", async () => {
    const bench = aBench(aRunbook([aStep("one"), aStep("two")]), [{ name: "one" }, { name: "two" }]);
    await bench.run();
    expect(bench.published).toMatchObject([
      { kind: "run_claimed", runId: "run_1", runbookId: "test", stalls: 1 },
      { kind: "step_ended", runId: "run_1", stepId: "one", action: "one", outcome: "completed" },
      { kind: "first_effect" },
      { kind: "step_ended", runId: "run_1", stepId: "two", action: "two", outcome: "completed" },
      { kind: "run_ended", runId: "run_1", runbookId: "test", outcome: "succeeded" },
    ]);
  });

  it("cuts an action at its timeout, in the time of its clock", async () => {
    const wait = async (_plan: unknown, { clock, signal }: ActionContext) => {
      await clock.sleep(3_600_000, signal);
      return { kind: "done", output: {} } as const;
    };
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one", turns: [wait] }]);
    const began = bench.clock.now();
    expect(await bench.run()).toBe("ended");
    expect(bench.last("finished")).toMatchObject({ outcome: "failed" });
    expect(bench.clock.now() - began).toBeLessThan(60_000);
  });

  it("writes the result of one repeatable step and the intent of the next at once", async () => {
    const bench = aBench(aRunbook([aStep("one"), aStep("two"), aStep("three")]), [{ name: "one" }, { name: "two" }, { name: "three" }]);
    let writes = 0;
    const append: MemoryRunJournal["append"] = async (lease, change) => original.append(lease, change);
    const original = { ...bench.ledger };
    Object.assign(bench.ledger, {
      append: async (...args: Parameters<MemoryRunJournal["append"]>) => {
        writes += 1;
        return append(...args);
      },
    });
    await bench.run();
    expect(writes).toBe(4);
  });

  it("records the intent before the effect", async () => {
    const seen: string[][] = [];
    const bench: Bench = aBench(aRunbook([aStep("one")]), [
      {
        name: "one",
        turns: [
          () => {
            seen.push(bench.kinds());
            return { kind: "done", output: {} };
          },
        ],
      },
    ]);
    await bench.run();
    expect(seen[0]).toContain("intent");
  });

  it("skips a step whose When is false and says why", async () => {
    const bench = aBench(aRunbook([aStep("one", { when: anExpression("1 > 2") }), aStep("two")]), [{ name: "one" }, { name: "two" }]);
    await bench.run();
    expect(bench.actions.calls).toEqual(["run two"]);
    expect(bench.last("skipped")).toMatchObject({ step: "one", why: expect.stringContaining("1 > 2") });
  });

  it("fails a step whose When reads a label that is not there", async () => {
    const bench = aBench(aRunbook([aStep("one", { when: anExpression("alert.labels.nope == 'x'") })]), [{ name: "one" }]);
    await bench.run();
    expect(bench.actions.calls).toEqual([]);
    expect(bench.last("finished")).toMatchObject({ outcome: "failed", failure: { reason: "expression_error" } });
  });

  it("stops at a manual step and goes on when a person has done it", async () => {
    const bench = aBench(aRunbook([aStep("by_hand", { action: null }), aStep("two")]), [{ name: "two" }]);
    expect(await bench.run()).toBe("suspended");
    expect(bench.actions.calls).toEqual([]);
    expect(bench.ledger.questions()[0]).toMatchObject({ kind: "manual", text: "Do by_hand." });
    expect(bench.announced).toEqual(["q_1"]);
    bench.ledger.answer("q_1", "done");
    expect(await bench.run()).toBe("ended");
    expect(bench.actions.calls).toEqual(["run two"]);
  });
});

describe("an alert that joins", () => {
  const runbook = aRunbook([aStep("stop"), aStep("tell"), aStep("by_hand", { action: null }), aStep("later")], { onJoined: "repeat" });
  const scripts: readonly ScriptedAction[] = [{ name: "stop" }, { name: "tell", effect: "keyed", risk: "none" }, { name: "later" }];

  it("makes a run that waits for a person do again what lowers, and asks the person anew", async () => {
    const bench = aBench(runbook, scripts);
    expect(await bench.run()).toBe("suspended");
    bench.ledger.join("run_1", "Another (f2) fires too.");
    expect(await bench.run()).toBe("suspended");
    expect(bench.actions.calls).toEqual(["run stop", "run tell", "run stop", "run tell"]);
    expect(new Set(bench.actions.keys).size).toBe(4);
    expect(bench.last("joined")).toMatchObject({ count: 1, why: "Another (f2) fires too.", repeats: ["stop", "tell"] });
    expect(bench.announced).toEqual(["q_1", "q_2"]);
    bench.ledger.answer("q_2", "done");
    expect(await bench.run()).toBe("ended");
    expect(bench.actions.calls.at(-1)).toBe("run later");
    expect(bench.last("finished")).toMatchObject({ outcome: "succeeded" });
  });

  it("makes a step that waits for its Expected begin afresh", async () => {
    const expected = { expression: anExpression("result.off"), withinMs: 60_000 };
    let isOff = false;
    const asking = aRunbook([aStep("stop", { expected, onFailure: { retries: 0, retryEveryMs: 0, then: { kind: "ask" } } })], {
      onJoined: "repeat",
    });
    const bench = aBench(asking, [
      {
        name: "stop",
        turns: [() => ({ kind: "done", output: { off: isOff } })],
        probe: () => ({ kind: "applied", output: { off: isOff } }),
      },
    ]);
    expect(await bench.run()).toBe("suspended");
    expect(bench.ledger.questions()).toMatchObject([{ kind: "ask" }]);
    isOff = true;
    bench.ledger.join("run_1", "Another (f2) fires too.");
    expect(await bench.run()).toBe("ended");
    expect(bench.actions.calls.filter((call) => call === "run stop")).toHaveLength(2);
  });

  it("keeps the run going when its own alert ends before anything was changed", async () => {
    const bench = aBench(runbook, scripts);
    bench.ledger.join("run_1", "Another (f2) fires too.");
    bench.ledger.notice("run_1", { resolved: "Burn (f1) ended." });
    expect(await bench.run()).toBe("suspended");
    expect(bench.kinds()).toContain("resolved");
    expect(bench.actions.calls).toEqual(["run stop", "run tell"]);
  });

  it("keeps the run going when Alertmanager has its own alert no more", async () => {
    const request = { source: "webhook", alert: anAlert } as const;
    const standing: AlertStanding = { ask: async () => ({ kind: "gone", detail: "it is gone" }) };
    const alone = aBench(runbook, scripts, { request, standing });
    expect(await alone.run()).toBe("ended");
    expect(alone.last("finished")).toMatchObject({ outcome: "stood_down" });
    const bench = aBench(runbook, scripts, { request, standing });
    bench.ledger.join("run_1", "Another (f2) fires too.");
    expect(await bench.run()).toBe("suspended");
    expect(bench.actions.calls).toEqual(["run stop", "run tell"]);
  });

  it("keeps what was done where the document undoes at the end of the alert", async () => {
    const bench = aBench({ ...runbook, onResolved: "undo" }, scripts);
    await bench.run();
    bench.ledger.join("run_1", "Another (f2) fires too.");
    bench.ledger.notice("run_1", { resolved: "Burn (f1) ended." });
    expect(await bench.run()).toBe("suspended");
    expect(bench.kinds()).not.toContain("undo_started");
  });

  it("is said to the store with every write, so that a later one is not lost at the end", async () => {
    const heard: (number | undefined)[] = [];
    const bench = aBench(runbook, scripts, {
      append: async ({ recordedNotices }, write) => {
        heard.push(recordedNotices.joined);
        return write();
      },
    });
    await bench.run();
    bench.ledger.join("run_1", "Another (f2) fires too.");
    await bench.run();
    expect([heard[0], heard.at(-1)]).toEqual([0, 1]);
  });

  it("changes nothing for a run that is over or was stopped, and for a document that does not ask for it", async () => {
    const stopped = aBench(runbook, scripts);
    await stopped.run();
    stopped.ledger.notice("run_1", { stop: { by: "anna", reason: "enough" } });
    stopped.ledger.join("run_1", "Another (f2) fires too.");
    expect(await stopped.run()).toBe("ended");
    expect(stopped.actions.calls).toEqual(["run stop", "run tell"]);
    const plain = aBench({ ...runbook, onJoined: "continue" }, scripts);
    await plain.run();
    plain.ledger.join("run_1", "Another (f2) fires too.");
    expect(await plain.run()).toBe("suspended");
    expect(plain.actions.calls).toEqual(["run stop", "run tell"]);
    expect(plain.announced.at(-1)).toBe("q_1");
  });
});

describe("Expected", () => {
  const paused = (running: number) => ({ kind: "applied" as const, output: { running } });

  it("fails the step when it is false, and the step's policy decides", async () => {
    const bench = aBench(aRunbook([aStep("pause", { expected: { expression: anExpression("result.running == 0") } }), aStep("two")]), [
      { name: "pause", turns: [done({ running: 3 })] },
      { name: "two" },
    ]);
    await bench.run();
    expect(bench.actions.calls).toEqual(["run pause"]);
    expect(bench.last("finished")).toMatchObject({ outcome: "failed", failure: { reason: "expectation_false" } });
  });

  it("looks again by probing until it holds, within the time allowed", async () => {
    let running = 4;
    const bench = aBench(aRunbook([aStep("pause", { expected: { expression: anExpression("result.running == 0"), withinMs: 90_000 } })]), [
      { name: "pause", turns: [done({ running: 4 })], probe: () => paused((running -= 1)) },
    ]);
    await bench.run();
    expect(bench.last("finished")).toMatchObject({ outcome: "succeeded" });
    expect(bench.actions.calls).toEqual(["run pause", "probe pause", "probe pause", "probe pause", "probe pause"]);
  });

  it("is inconclusive, never true, when the result lacks what it reads", async () => {
    const bench = aBench(aRunbook([aStep("pause", { expected: { expression: anExpression("result.running == 0") } })]), [
      { name: "pause", turns: [done({})] },
    ]);
    await bench.run();
    expect(bench.last("finished")).toMatchObject({ outcome: "failed", failure: { reason: "expectation_inconclusive" } });
  });

  it("gives up at the end of the time allowed", async () => {
    const bench = aBench(aRunbook([aStep("pause", { expected: { expression: anExpression("result.running == 0"), withinMs: 5_000 } })]), [
      { name: "pause", turns: [done({ running: 4 })], probe: () => paused(4) },
    ]);
    await bench.run();
    expect(bench.last("finished")).toMatchObject({ outcome: "failed", failure: { reason: "expectation_false" } });
  });
});

describe("a failing step", () => {
  it("is tried again as often as its policy says, with a new key after a certain no", async () => {
    const bench = aBench(aRunbook([aStep("one", { onFailure: { retries: 2, retryEveryMs: 1000, then: { kind: "stop" } } })]), [
      { name: "one", turns: [failing({}), failing({}), done()] },
    ]);
    await bench.run();
    expect(bench.actions.calls.length).toBe(3);
    expect(new Set(bench.actions.keys).size).toBe(3);
    expect(bench.last("finished")).toMatchObject({ outcome: "succeeded" });
  });

  it("keeps its key while the outcome is unknown", async () => {
    const bench = aBench(aRunbook([aStep("one")]), [
      { name: "one", effect: "keyed", turns: [failing({ reason: "unknown_outcome", applied: "unknown" }), done()] },
    ]);
    await bench.run();
    expect(bench.actions.calls.length).toBe(2);
    expect(new Set(bench.actions.keys).size).toBe(1);
    expect(bench.last("finished")).toMatchObject({ outcome: "succeeded" });
  });

  it("lets the run go on when the document says continue", async () => {
    const bench = aBench(
      aRunbook([aStep("one", { onFailure: { retries: 0, retryEveryMs: 0, then: { kind: "continue" } } }), aStep("two")]),
      [{ name: "one", turns: [failing({})] }, { name: "two" }],
    );
    await bench.run();
    expect(bench.actions.calls).toEqual(["run one", "run two"]);
    expect(bench.last("finished")).toMatchObject({ outcome: "succeeded" });
  });

  describe("that lets the run go on has no result", () => {
    const aFailingLook = (when: string, action: Partial<ScriptedAction> = {}) =>
      aBench(
        aRunbook([
          aStep("look", { onFailure: { retries: 0, retryEveryMs: 0, then: { kind: "continue" } } }),
          aStep("stop", { when: anExpression(when) }),
          aStep("after"),
        ]),
        [{ name: "look", effect: "read", turns: [failing({})], ...action }, { name: "stop" }, { name: "after" }],
      );

    it.each([
      "steps.look.result.bad == true",
      "steps.look.result.bad != true",
      "size(steps.look.result) > 0",
      "has(steps.look.result.bad)",
    ])("and When `%s` is false: the step is skipped, and says why", async (when) => {
      const bench = aFailingLook(when);
      await bench.run();
      expect(bench.actions.calls).toEqual(["run look", "run after"]);
      expect(bench.last("skipped")).toMatchObject({ step: "stop", why: expect.stringContaining(`When \`${when}\` is false`) });
      expect(bench.last("finished")).toMatchObject({ outcome: "succeeded" });
    });

    it("and the reason names the step that has none", async () => {
      const bench = aFailingLook("steps.look.result.bad");
      await bench.run();
      expect(bench.last("skipped")).toMatchObject({
        why: 'When `steps.look.result.bad` is false: step "look" failed and has no result.',
      });
    });

    it.each(["!has(steps.look.result)", "steps.look.result == null", "steps.look.result.?bad.orValue(true)"])(
      "and When `%s` is true, so that a stop does not depend on it",
      async (when) => {
        const bench = aFailingLook(when);
        await bench.run();
        expect(bench.actions.calls).toEqual(["run look", "run stop", "run after"]);
      },
    );

    it("also when the action worked and its Expected did not hold", async () => {
      const bench = aBench(
        aRunbook([
          aStep("look", {
            expected: { expression: anExpression("result.ok") },
            onFailure: { retries: 0, retryEveryMs: 0, then: { kind: "continue" } },
          }),
          aStep("stop", { when: anExpression("has(steps.look.result.ok)") }),
        ]),
        [{ name: "look", turns: [done({ ok: false })] }, { name: "stop" }],
      );
      await bench.run();
      expect(bench.actions.calls).toEqual(["run look"]);
    });

    it("as has one that was skipped or done by a person", async () => {
      const bench = aBench(
        aRunbook([
          aStep("look", { when: anExpression("1 == 2") }),
          aStep("one", { when: anExpression("steps.look.result.ok") }),
          aStep("two", { when: anExpression("steps.one.result.ok") }),
          aStep("three"),
        ]),
        [{ name: "look" }, { name: "one" }, { name: "two" }, { name: "three" }],
      );
      await bench.run();
      expect(bench.actions.calls).toEqual(["run three"]);
      expect(bench.ledger.journal("run_1").flatMap((entry) => (entry.kind === "skipped" ? [entry.why] : []))).toEqual([
        "When `1 == 2` is false.",
        'When `steps.look.result.ok` is false: step "look" was skipped and has no result.',
        'When `steps.one.result.ok` is false: step "one" was skipped and has no result.',
      ]);
    });

    it("and an Expected over it is inconclusive, never true", async () => {
      const bench = aBench(
        aRunbook([
          aStep("look", { onFailure: { retries: 0, retryEveryMs: 0, then: { kind: "continue" } } }),
          aStep("one", { expected: { expression: anExpression("steps.look.result.count == 0") } }),
        ]),
        [{ name: "look", turns: [failing({})] }, { name: "one" }],
      );
      await bench.run();
      expect(bench.last("finished")).toMatchObject({ outcome: "failed", failure: { reason: "expectation_inconclusive" } });
    });
  });

  it("goes forward to the step that the document names", async () => {
    const bench = aBench(
      aRunbook([
        aStep("one", { onFailure: { retries: 0, retryEveryMs: 0, then: { kind: "go_to", step: "three" } } }),
        aStep("two"),
        aStep("three"),
      ]),
      [{ name: "one", turns: [failing({})] }, { name: "two" }, { name: "three" }],
    );
    await bench.run();
    expect(bench.actions.calls).toEqual(["run one", "run three"]);
  });

  it("undoes what was done, in reverse order", async () => {
    const undone = { undo: () => undefined };
    const bench = aBench(
      aRunbook([aStep("one"), aStep("two"), aStep("three", { onFailure: { retries: 0, retryEveryMs: 0, then: { kind: "undo" } } })]),
      [
        { name: "one", ...undone },
        { name: "two", ...undone },
        { name: "three", turns: [failing({})], ...undone },
      ],
    );
    await bench.run();
    expect(bench.actions.calls).toEqual(["run one", "run two", "run three", "undo two", "undo one"]);
    expect(bench.last("finished")).toMatchObject({ outcome: "undone" });
  });

  describe("that undoes the run keeps what lowers", () => {
    const undone = { undo: () => undefined };
    const undo = { onFailure: { retries: 0, retryEveryMs: 0, then: { kind: "undo" } } } as const;
    const scripts: readonly ScriptedAction[] = [
      { name: "one", ...undone },
      { name: "stop", risk: "lowers", ...undone },
      { name: "three", ...undone },
      { name: "open" },
      { name: "last", turns: [failing({})] },
    ];

    it("and says so", async () => {
      const bench = aBench(aRunbook([aStep("one"), aStep("stop"), aStep("three"), aStep("last", undo)]), scripts);
      await bench.run();
      expect(bench.actions.calls).toEqual(["run one", "run stop", "run three", "run last", "undo three", "undo one"]);
      expect(bench.ledger.journal("run_1")).toContainEqual(
        expect.objectContaining({ kind: "undone", step: "stop", kept: "lowers", note: "it lowers" }),
      );
      expect(bench.last("finished")).toMatchObject({ outcome: "undone" });
    });

    it("also when the document names an Undo", async () => {
      const opened = { undo: { name: "open", parameters: {}, position: { line: 1, column: 1 } } };
      const bench = aBench(aRunbook([aStep("stop", opened), aStep("last", undo)]), scripts);
      await bench.run();
      expect(bench.actions.calls).toEqual(["run stop", "run last"]);
    });

    it("also of a run that an earlier version began, whose intents do not say it", async () => {
      const bench = aBench(aRunbook([aStep("one"), aStep("stop"), aStep("last", undo)]), scripts);
      const append = bench.ledger.append.bind(bench.ledger);
      const journal = bench.ledger.journal.bind(bench.ledger);
      const earlier = (entry: JournalEntry): JournalEntry => {
        if (entry.kind !== "intent") return entry;
        const { risk: _risk, ...fields } = entry;
        return fields;
      };
      const claim = bench.ledger.claim.bind(bench.ledger);
      Object.assign(bench.ledger, {
        // The journal of an earlier version, as another worker finds it.
        async append(...[lease, change]: Parameters<typeof append>) {
          const reply = await append(lease, change);
          if (!change.entries.some((entry) => entry.kind === "intent" && entry.step === "last")) return reply;
          return { kind: "fenced" };
        },
        async claim(runId: string) {
          const claimed = await claim(runId);
          return "refused" in claimed ? claimed : { ...claimed, journal: claimed.journal.map(earlier) };
        },
      });
      expect(journal("run_1")).toBeDefined();
      await bench.executor.execute("run_1", never);
      Object.assign(bench.ledger, { append });
      await bench.clock.advance(10_000);
      await bench.run();
      expect(bench.actions.calls.filter((call) => call.startsWith("undo"))).toEqual(["undo one"]);
      expect(bench.ledger.journal("run_1")).toContainEqual(expect.objectContaining({ kind: "undone", step: "stop", kept: "lowers" }));
    });
  });

  it.each(["not written", "written to a store that may lose it"] as const)(
    "begins no effect and no undo whose intent is %s, and does it later",
    async (how) => {
      const refused: string[] = [];
      const bench: Bench = aBench(
        aRunbook([aStep("one"), aStep("two", { onFailure: { retries: 0, retryEveryMs: 0, then: { kind: "undo" } } })]),
        [
          { name: "one", undo: () => undefined },
          { name: "two", turns: [failing({})] },
        ],
        {
          async append({ precedes }, write) {
            if (precedes === undefined || refused.includes(precedes)) return write();
            refused.push(precedes);
            const result: AppendResult = how === "not written" ? { kind: "unreplicated" } : await survivesNot(write);
            return result;
          },
        },
      );
      expect(await bench.run()).toBe("yielded");
      expect([refused, bench.actions.calls]).toEqual([["effect"], []]);
      await bench.clock.advance(3000);
      expect(await bench.run()).toBe("yielded");
      expect([refused, bench.actions.calls]).toEqual([
        ["effect", "undo"],
        ["run one", "run two"],
      ]);
      await bench.clock.advance(3000);
      expect(await bench.run()).toBe("ended");
      expect(bench.actions.calls).toEqual(["run one", "run two", "undo one"]);
      expect(bench.kinds().filter((kind) => kind === "undone")).toHaveLength(1);
      expect(bench.last("finished")).toMatchObject({ outcome: "undone" });
    },
  );

  const cut = failing({ reason: "unknown_outcome", applied: "unknown" });
  it.each([
    { says: "unknown", rest: [cut, cut] },
    { says: "unknown, although later tries were refused", rest: [failing({}), failing({})] },
  ])("undoes a set whose outcome stayed $says, because it may have happened", async ({ rest }) => {
    const onFailure = { retries: 0, retryEveryMs: 0, then: { kind: "undo" } } as const;
    const bench = aBench(aRunbook([aStep("one"), aStep("two", { onFailure })]), [
      { name: "one", undo: () => undefined },
      { name: "two", effect: "set", turns: [cut, ...rest], undo: () => undefined },
    ]);
    await bench.run();
    expect(bench.actions.calls).toEqual(["run one", "run two", "run two", "run two", "undo two", "undo one"]);
    expect(bench.last("finished")).toMatchObject({ outcome: "undone" });
  });

  it("stops and asks when an undo meets a value that somebody else has changed", async () => {
    const bench = aBench(aRunbook([aStep("one"), aStep("two", { onFailure: { retries: 0, retryEveryMs: 0, then: { kind: "undo" } } })]), [
      { name: "one", undo: failing({ message: "somebody else changed it" }) },
      { name: "two", turns: [failing({})] },
    ]);
    expect(await bench.run()).toBe("suspended");
    expect(bench.ledger.questions()[0]).toMatchObject({
      kind: "ask",
      text: expect.stringContaining("somebody else changed it"),
      answers: ["retry", "skip", "stop"],
    });
    bench.ledger.answer("q_1", "skip");
    await bench.run();
    expect(bench.last("finished")).toMatchObject({ outcome: "undone" });
  });

  it("asks a person when the document says so, and starts afresh on retry", async () => {
    const bench = aBench(aRunbook([aStep("one", { onFailure: { retries: 1, retryEveryMs: 0, then: { kind: "ask" } } })]), [
      { name: "one", turns: [failing({}), failing({}), done()] },
    ]);
    expect(await bench.run()).toBe("suspended");
    expect(bench.ledger.questions()[0]).toMatchObject({ kind: "ask", answers: ["retry", "skip", "stop", "undo"] });
    bench.ledger.answer("q_1", "retry");
    expect(await bench.run()).toBe("ended");
    expect(bench.last("finished")).toMatchObject({ outcome: "succeeded" });
  });

  it("waits as long as an overloaded target says, without a policy", async () => {
    const bench = aBench(aRunbook([aStep("one")]), [
      { name: "one", turns: [failing({ reason: "overloaded", retryAfterMs: 3000 }), done()] },
    ]);
    const before = bench.clock.now();
    await bench.run();
    expect(bench.clock.now() - before).toBeGreaterThanOrEqual(3000);
    expect(bench.last("finished")).toMatchObject({ outcome: "succeeded" });
  });
});

describe("an unknown outcome", () => {
  const cut = failing({ reason: "unknown_outcome", applied: "unknown" });

  it("of a probed effect is settled by the target after the quarantine", async () => {
    const bench = aBench(aRunbook([aStep("one")]), [
      { name: "one", effect: "probed", turns: [cut], probe: () => ({ kind: "applied", output: { found: true } }) },
    ]);
    const before = bench.clock.now();
    await bench.run();
    expect(bench.clock.now() - before).toBeGreaterThanOrEqual(10_000);
    expect(bench.actions.calls).toEqual(["run one", "probe one"]);
    expect(bench.last("applied")).toMatchObject({ found: "probe" });
  });

  it("of a probed effect that is not there is followed by another try", async () => {
    const bench = aBench(aRunbook([aStep("one")]), [
      { name: "one", effect: "probed", turns: [cut, done()], probe: () => ({ kind: "not_applied" }) },
    ]);
    await bench.run();
    expect(bench.actions.calls).toEqual(["run one", "probe one", "run one"]);
  });

  it("of an opaque effect parks the run in doubt, and it is never tried again by itself", async () => {
    const bench = aBench(aRunbook([aStep("one"), aStep("two")]), [{ name: "one", effect: "once", turns: [cut] }, { name: "two" }]);
    expect(await bench.run()).toBe("suspended");
    expect(bench.ledger.state("run_1")).toBe("in_doubt");
    expect(bench.actions.calls).toEqual(["run one"]);
    bench.ledger.answer("q_1", "happened");
    await bench.run();
    expect(bench.actions.calls).toEqual(["run one", "run two"]);
  });

  it("of an opaque effect is tried again only when a person says that it did not happen", async () => {
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one", effect: "once", turns: [cut, done()] }]);
    await bench.run();
    bench.ledger.answer("q_1", "retry");
    await bench.run();
    expect(bench.actions.calls).toEqual(["run one", "run one"]);
    expect(new Set(bench.actions.keys).size).toBe(2);
  });
});

describe("guardrails and people", () => {
  it("asks for approval of exactly the plan, and does it only then", async () => {
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one" }], {
      guard: (candidate) =>
        candidate.approved ? { kind: "allow", claims: [] } : { kind: "ask", guardrail: "mode", reason: "Mode approve." },
    });
    expect(await bench.run()).toBe("suspended");
    const [question] = bench.ledger.questions();
    expect(question).toMatchObject({ kind: "approve", role: "approver", plan: { summary: "Do one" } });
    expect(question?.planSha).toMatch(/^[0-9a-f]{64}$/);
    expect(bench.actions.calls).toEqual([]);
    bench.ledger.answer("q_1", "approve");
    await bench.run();
    expect(bench.actions.calls).toEqual(["run one"]);
  });

  it("does nothing and ends aborted when the approval is rejected", async () => {
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one" }], {
      guard: () => ({ kind: "ask", guardrail: "mode", reason: "Mode approve." }),
    });
    await bench.run();
    bench.ledger.answer("q_1", "reject");
    await bench.run();
    expect(bench.actions.calls).toEqual([]);
    expect(bench.last("finished")).toMatchObject({ outcome: "aborted" });
  });

  it("takes silence for a no when the time for an approval is over", async () => {
    const bench = aBench(aRunbook([aStep("one", { approval: { role: "approver", of: 1, withinMs: 60_000 } })]), [{ name: "one" }]);
    await bench.run();
    await bench.clock.advance(61_000);
    expect(await bench.executor.execute("run_1", never)).toBe("ended");
    expect(bench.actions.calls).toEqual([]);
    expect(bench.last("finished")).toMatchObject({ outcome: "aborted" });
  });

  it("announces an unanswered approval once more at half of its time, sleeps on, and still takes the answer", async () => {
    const bench = aBench(aRunbook([aStep("one", { approval: { role: "approver", of: 2, withinMs: 60_000 } })]), [{ name: "one" }], {
      request: { requester: "ann" },
    });
    await bench.run();
    expect(bench.ledger.questions()[0]).toMatchObject({ of: 2, requester: "ann" });
    await bench.clock.advance(29_000);
    expect(await bench.executor.execute("run_1", never)).toBe("waiting");
    expect(bench.announced).toEqual(["q_1"]);
    await bench.clock.advance(1000);
    expect(await bench.executor.execute("run_1", never)).toBe("suspended");
    expect(bench.announced.filter((name) => name.endsWith("escalated"))).toEqual(["q_1 escalated"]);
    expect(bench.last("escalated")).toMatchObject({ questionId: "q_1" });
    await bench.clock.advance(20_000);
    expect(await bench.executor.execute("run_1", never)).toBe("waiting");
    bench.ledger.answer("q_1", "approve", "bob");
    await bench.run();
    expect(bench.actions.calls).toEqual(["run one"]);
    expect(bench.kinds().filter((kind) => kind === "escalated")).toHaveLength(1);
  });

  it("gives an approval that a guardrail asks for an end, and takes silence for a no", async () => {
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one" }], {
      guard: () => ({ kind: "ask", guardrail: "mode", reason: "Mode approve." }),
    });
    await bench.run();
    await bench.clock.advance(3_600_001);
    expect(await bench.executor.execute("run_1", never)).toBe("ended");
    expect(bench.actions.calls).toEqual([]);
    expect(bench.last("finished")).toMatchObject({ outcome: "aborted" });
  });

  it("only records the plan in mode observe", async () => {
    const bench = aBench(aRunbook([aStep("one"), aStep("two")]), [{ name: "one" }, { name: "two" }], {
      request: { mode: "observe" },
      guard: () => ({ kind: "refuse", guardrail: "mode", reason: "observe" }),
    });
    await bench.run();
    expect(bench.actions.calls).toEqual([]);
    expect(
      bench.ledger
        .journal("run_1")
        .filter((entry) => entry.kind === "refused")
        .map((entry) => entry.plan?.summary),
    ).toEqual(["Do one", "Do two"]);
    expect(bench.published.filter(({ kind }) => kind === "step_refused")).toEqual([
      { kind: "step_refused", guardrail: "mode" },
      { kind: "step_refused", guardrail: "mode" },
    ]);
    expect(bench.last("finished")).toMatchObject({ outcome: "stood_down" });
  });

  it("waits for nobody in mode observe: not for people, not for an Expected, not for another try", async () => {
    const steps = [
      aStep("look", { expected: { expression: anExpression("result.ok == false"), withinMs: 600_000 } }),
      aStep("hand", { action: null }),
      aStep("broken", { onFailure: { retries: 5, retryEveryMs: 60_000, then: { kind: "ask" } } }),
      aStep("change"),
    ];
    const refused: Failure = { reason: "refused_by_target", message: "no", applied: "no" };
    const broken = () => Promise.reject(new StepFailure(refused));
    const scripts: readonly ScriptedAction[] = [
      { name: "look", effect: "read" },
      { name: "broken", effect: "read", turns: [broken] },
      { name: "change" },
    ];
    const bench = aBench(aRunbook(steps), scripts, {
      request: { mode: "observe" },
      guard: () => ({ kind: "refuse", guardrail: "mode", reason: "observe" }),
    });
    const begun = bench.clock.now();
    expect(await bench.run()).toBe("ended");
    expect(bench.clock.now() - begun).toBeLessThan(10_000);
    expect(bench.ledger.questions()).toEqual([]);
    expect(bench.actions.calls).toEqual(["run look", "run broken"]);
    expect(bench.kinds().filter((kind) => kind === "completed" || kind === "skipped" || kind === "refused")).toEqual([
      "completed",
      "skipped",
      "skipped",
      "refused",
      "skipped",
    ]);
    expect(bench.last("finished")).toMatchObject({ outcome: "stood_down" });
  });

  it("waits visibly while another run holds the target", async () => {
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one" }], { guard: () => ({ kind: "allow", claims: [{ lock: "target:x" }] }) });
    const rival = bench.ledger.asWorker();
    rival.create("run_2", { runbookId: "test", runbookSha: "x", mode: "auto", params: {}, source: "manual" });
    const held = await rival.claim("run_2");
    if ("refused" in held) throw new Error(held.refused);
    const taken = await rival.append(held.lease, {
      head: held.head,
      entries: [{ at: 0, kind: "claimed", worker: "w" }],
      state: "running",
      summary: {},
      claims: [{ lock: "target:x" }],
      recordedNotices: { stop: false, resolved: false },
    });
    if (taken.kind !== "ok") throw new Error(taken.kind);

    const execution = bench.executor.execute("run_1", never);
    for (let round = 0; round < 50; round += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      await bench.clock.advance(100);
    }
    expect(bench.actions.calls).toEqual([]);
    expect(bench.last("refused")).toMatchObject({ guardrail: "target-lock", reason: expect.stringContaining("run_2") });
    await rival.append(held.lease, {
      head: taken.head,
      entries: [{ at: 0, kind: "finished", outcome: "succeeded", reason: "" }],
      state: "ended",
      summary: {},
      claims: [],
      release: {},
      recordedNotices: { stop: false, resolved: false },
    });
    for (let round = 0; round < 50; round += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      await bench.clock.advance(100);
    }
    expect(await execution).toBe("ended");
    expect(bench.actions.calls).toEqual(["run one"]);
  });
});

describe("what comes from outside", () => {
  it("stands down when the alert ended before anything was changed", async () => {
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one" }]);
    bench.ledger.notice("run_1", { resolved: "resolved" });
    await bench.run();
    expect(bench.actions.calls).toEqual([]);
    expect(bench.last("finished")).toMatchObject({ outcome: "stood_down" });
  });

  it("goes on to its end when the alert ends because of what it did", async () => {
    const bench: Bench = aBench(aRunbook([aStep("one"), aStep("two")]), [
      {
        name: "one",
        turns: [
          () => {
            bench.ledger.notice("run_1", { resolved: "resolved" });
            return { kind: "done", output: {} };
          },
        ],
      },
      { name: "two" },
    ]);
    await bench.run();
    expect(bench.actions.calls).toEqual(["run one", "run two"]);
    expect(bench.kinds()).toContain("resolved");
  });

  it("stops at a person's word, between two steps", async () => {
    const bench: Bench = aBench(aRunbook([aStep("one"), aStep("two")]), [
      {
        name: "one",
        turns: [
          () => {
            bench.ledger.notice("run_1", { stop: { by: "ann", reason: "enough" } });
            return { kind: "done", output: {} };
          },
        ],
      },
      { name: "two" },
    ]);
    await bench.run();
    expect(bench.actions.calls).toEqual(["run one"]);
    expect(bench.last("finished")).toMatchObject({ outcome: "aborted", reason: expect.stringContaining("ann") });
  });

  it("does not begin an effect once a stop has arrived, even while the guardrails are asked", async () => {
    let stop = (): Promise<void> => Promise.resolve();
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one", effect: "once" }], {
      guard: async () => {
        await stop();
        return { kind: "allow", claims: [] };
      },
    });
    // The heartbeat brings the stop before the intent is written.
    stop = async () => {
      bench.ledger.notice("run_1", { stop: { by: "ann", reason: "wrong target" } });
      await bench.clock.advance(3000);
    };
    expect(await bench.run()).toBe("ended");
    expect(bench.actions.calls).toEqual([]);
    expect(bench.kinds()).toEqual(["accepted", "claimed", "stop_requested", "concluded", "finished"]);
    expect(bench.last("finished")).toMatchObject({ outcome: "aborted" });
  });

  it("yields at the step boundary when the process wants to stop, and another worker goes on", async () => {
    const drain = new AbortController();
    const bench = aBench(aRunbook([aStep("one"), aStep("two")]), [
      {
        name: "one",
        turns: [
          () => {
            drain.abort();
            return { kind: "done", output: {} };
          },
        ],
      },
      { name: "two" },
    ]);
    expect(await bench.executor.execute("run_1", drain.signal)).toBe("yielded");
    expect(bench.actions.calls).toEqual(["run one"]);
    expect(await bench.run()).toBe("ended");
    expect(bench.actions.calls).toEqual(["run one", "run two"]);
  });

  it("ends failed when the pinned document is gone", async () => {
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one" }], { request: { runbookSha: "0".repeat(64) } });
    await bench.run();
    expect(bench.last("finished")).toMatchObject({ outcome: "failed", failure: { reason: "runbook_corrupt" } });
  });

  it("stops a run that was claimed three times without progress", async () => {
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one" }]);
    for (let claims = 0; claims < 3; claims += 1) {
      await bench.ledger.claim("run_1");
      bench.ledger.expireLease("run_1");
    }
    await bench.run();
    expect(bench.actions.calls).toEqual([]);
    expect(bench.last("finished")).toMatchObject({ outcome: "failed", failure: { reason: "poisoned" } });
  });

  it("lets the zombie write nothing after another worker has taken over", async () => {
    const bench: Bench = aBench(aRunbook([aStep("one"), aStep("two")]), [
      {
        name: "one",
        turns: [
          async () => {
            bench.ledger.expireLease("run_1");
            await bench.ledger.asWorker().claim("run_1");
            return { kind: "done", output: {} };
          },
        ],
      },
      { name: "two" },
    ]);
    expect(await bench.executor.execute("run_1", never)).toBe("fenced");
    expect(bench.actions.calls).toEqual(["run one"]);
    expect(bench.kinds()).toEqual(["accepted", "claimed", "intent"]);
    expect(bench.published.at(-1)).toEqual({ kind: "write_fenced", runId: "run_1" });
  });
});

describe("an action that goes on later", () => {
  it("suspends the run for long waits, holds no worker, and gets its progress back", async () => {
    const seen: unknown[] = [];
    const bench = aBench(aRunbook([aStep("ramp")]), [
      {
        name: "ramp",
        turns: [
          () => ({ kind: "continue", afterMs: 900_000, progress: { stage: 1 } }),
          (_plan, context) => {
            seen.push(context.progress);
            return { kind: "done", output: {} };
          },
        ],
      },
    ]);
    expect(await bench.executor.execute("run_1", never)).toBe("suspended");
    expect(bench.ledger.state("run_1")).toBe("suspended");
    expect(await bench.executor.execute("run_1", never)).toBe("waiting");
    await bench.clock.advance(900_001);
    expect(await bench.run()).toBe("ended");
    expect(seen).toEqual([{ stage: 1 }]);
  });

  it.each([
    [true, 2],
    [undefined, 1],
  ] as const)("is called before its time when the run is woken, if it only polls (%s)", async (early, calls) => {
    const turn = (): ActionResult => ({ kind: "continue", afterMs: 900_000, progress: 1, ...(early && { early }) });
    const bench = aBench(aRunbook([aStep("ramp")]), [{ name: "ramp", turns: [turn, turn] }]);
    expect(await bench.executor.execute("run_1", never)).toBe("suspended");
    expect(await bench.executor.execute("run_1", never)).toBe("waiting");
    bench.ledger.notice("run_1", {});
    expect(await bench.executor.execute("run_1", never)).toBe("suspended");
    expect(bench.actions.calls).toHaveLength(calls);
  });

  it("can ask a person and gets the answer", async () => {
    const seen: unknown[] = [];
    const bench = aBench(aRunbook([aStep("resume")]), [
      {
        name: "resume",
        turns: [
          () => ({ kind: "ask", question: "The budget is used up. Resume?", answers: ["resume", "stay"], progress: {} }),
          (_plan, context) => {
            seen.push(context.answer);
            return { kind: "done", output: {} };
          },
        ],
      },
    ]);
    expect(await bench.run()).toBe("suspended");
    expect(bench.ledger.questions()[0]).toMatchObject({ text: "The budget is used up. Resume?", answers: ["resume", "stay"] });
    bench.ledger.answer("q_1", "stay");
    await bench.run();
    expect(seen).toEqual(["stay"]);
  });
});

describe("the step that a run waits at", () => {
  it("is the next one, and not the one before", async () => {
    const bench = aBench(aRunbook([aStep("one"), aStep("two", { action: null })]), [{ name: "one" }]);
    expect(await bench.run()).toBe("suspended");
    expect(bench.ledger.summary("run_1")).toMatchObject({ step: "two" });
  });

  it("is a check or a post-action by its number, and not the last step, where it waits behind the steps", async () => {
    const notYet: MetricSource["query"] = async (query) =>
      query.startsWith("count(") ? { kind: "samples", samples: [{ labels: {}, value: 1, at: 0 }] } : { kind: "samples", samples: [] };
    const verifying = aBench(
      aRunbook([aStep("one")], {
        verification: [{ text: "Look.", position: anExpression("").position }, aPromqlCheck("up == 1", 600_000)],
      }),
      [{ name: "one" }],
      { metrics: notYet },
    );
    expect(await verifying.executor.execute("run_1", never)).toBe("suspended");
    expect(verifying.ledger.summary("run_1")).toMatchObject({ step: "Verification 2" });

    const { action } = aStep("tell");
    const after = aBench(
      aRunbook([aStep("one")], { postAction: [{ text: "Tell.", position: anExpression("").position, ...(action && { action }) }] }),
      [{ name: "one" }, { name: "tell", turns: [() => ({ kind: "continue", afterMs: 900_000, progress: {} })] }],
    );
    expect(await after.executor.execute("run_1", never)).toBe("suspended");
    expect(after.ledger.summary("run_1")).toMatchObject({ step: "Post-Action 1" });
  });
});

describe("verification", () => {
  const sample = (value: number) => ({ kind: "samples" as const, samples: [{ labels: {}, value, at: 0 }] });
  const empty = { kind: "samples" as const, samples: [] };

  it("makes the run succeed when it holds", async () => {
    const bench = aBench(aRunbook([aStep("one")], { verification: [aPromqlCheck("up == 1")] }), [{ name: "one" }], {
      metrics: async () => sample(1),
    });
    await bench.run();
    expect(bench.last("finished")).toMatchObject({ outcome: "succeeded" });
  });

  it("makes it ineffective when it is false at the end of its time", async () => {
    const bench = aBench(aRunbook([aStep("one")], { verification: [aPromqlCheck("up == 1", 60_000)] }), [{ name: "one" }], {
      metrics: async (query) => (query.startsWith("count(") ? sample(1) : empty),
    });
    await bench.run();
    expect(bench.last("finished")).toMatchObject({ outcome: "ineffective" });
  });

  it("is inconclusive, never passed, when Prometheus cannot be asked, says NaN, or lacks the series", async () => {
    const blind: MetricSource["query"][] = [
      async () => ({ kind: "unavailable", reason: "connection refused" }),
      async () => ({ kind: "incomplete", reason: "a store did not answer" }),
      async (query) => (query.startsWith("count(") ? { kind: "incomplete", reason: "a store did not answer" } : empty),
      async () => sample(Number.NaN),
      async () => empty,
    ];
    for (const metrics of blind) {
      const bench = aBench(aRunbook([aStep("one")], { verification: [aPromqlCheck("up == 1", 30_000)] }), [{ name: "one" }], { metrics });
      await bench.run();
      expect(bench.last("finished")).toMatchObject({ outcome: "inconclusive" });
    }
  });

  it("waits for a value that comes late", async () => {
    let looks = 0;
    const bench = aBench(aRunbook([aStep("one")], { verification: [aPromqlCheck("up == 1", 60_000)] }), [{ name: "one" }], {
      metrics: async (query) => {
        if (query.startsWith("count(")) return sample(1);
        looks += 1;
        return looks > 3 ? sample(1) : empty;
      },
    });
    await bench.run();
    expect(bench.last("finished")).toMatchObject({ outcome: "succeeded" });
  });

  it("of a prerequisite that does not hold keeps the run from doing anything", async () => {
    const bench = aBench(aRunbook([aStep("one")], { prerequisites: [aPromqlCheck("up == 1")] }), [{ name: "one" }], {
      metrics: async (query) => (query.startsWith("count(") ? sample(1) : empty),
    });
    await bench.run();
    expect(bench.actions.calls).toEqual([]);
    expect(bench.last("finished")).toMatchObject({ outcome: "failed", failure: { reason: "prerequisite_false" } });
  });

  it.each(["unavailable", "incomplete"] as const)("of a prerequisite whose answer is %s ends the run inconclusive", async (kind) => {
    const bench = aBench(aRunbook([aStep("one")], { prerequisites: [aPromqlCheck("up == 1")] }), [{ name: "one" }], {
      metrics: async () => ({ kind, reason: "nothing was seen" }),
    });
    await bench.run();
    expect(bench.actions.calls).toEqual([]);
    expect(bench.last("finished")).toMatchObject({ outcome: "inconclusive" });
  });

  it.each<[string, Awaited<ReturnType<MetricSource["query"]>>]>([
    ["an incomplete answer", { kind: "incomplete", reason: "a store did not answer" }],
    ["no sample", empty],
    ["NaN", sample(Number.NaN)],
    ["several samples", { kind: "samples", samples: [...sample(1).samples, ...sample(2).samples] }],
  ])("samples no number from %s", async (_name, answer) => {
    const bench = aBench(aRunbook([aStep("one")], { track: { burn: "burn" } }), [{ name: "one" }], { metrics: async () => answer });
    await bench.run();
    expect(bench.last("sampled")).toMatchObject({ values: { burn: null } });
  });
});

describe("Post-Action", () => {
  const report = {
    text: "Send",
    position: { line: 1, column: 1 },
    action: { name: "report", parameters: {}, position: { line: 1, column: 1 } },
  };

  it("is done after a failed run too, and its own failure changes nothing", async () => {
    const bench = aBench(aRunbook([aStep("one")], { postAction: [report] }), [
      { name: "one", turns: [failing({})] },
      { name: "report", effect: "keyed", turns: [failing({})] },
    ]);
    await bench.run();
    expect(bench.actions.calls).toEqual(["run one", "run report", "run report", "run report"]);
    expect(bench.last("finished")).toMatchObject({ outcome: "failed" });
  });
});

describe("a freeze", () => {
  const freeze: Freeze = { scope: "all", by: "ann", reason: "a release", at: 1, undo: true };
  const retryMs = 5000;

  /** One look at a time, so that a test sees the sleep between two looks. */
  async function looks(bench: Bench, count: number): Promise<Execution> {
    let last: Execution = "waiting";
    for (let look = 0; look < count; look += 1) {
      last = await bench.executor.execute("run_1", never);
      await bench.clock.advance(retryMs);
    }
    return last;
  }

  it("set while a step works holds back the next effect", async () => {
    const bench: Bench = aBench(aRunbook([aStep("one"), aStep("two")]), [
      { name: "one", turns: [() => (bench.ledger.freeze(freeze), { kind: "done", output: {} })] },
      { name: "two" },
    ]);
    expect(await looks(bench, 1)).toBe("suspended");
    expect(bench.actions.calls).toEqual(["run one"]);
    expect(bench.last("frozen")).toMatchObject({ step: "two", scope: "all", by: "ann", reason: "a release" });
    expect(bench.kinds()).not.toContain("skipped");
  });

  it("is written down once, however long it stands, and the run goes on by itself when it is lifted", async () => {
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one" }]);
    bench.ledger.freeze(freeze);
    await looks(bench, 50);
    expect(bench.kinds()).toEqual(["accepted", "claimed", "frozen"]);
    bench.ledger.unfreeze("all");
    expect(await bench.executor.execute("run_1", never)).toBe("ended");
    expect(bench.actions.calls).toEqual(["run one"]);
    expect(bench.last("finished")).toMatchObject({ outcome: "succeeded" });
  });

  it("is written down once also when Alertmanager is asked before each try", async () => {
    let asked = 0;
    const alert = {
      status: "firing",
      fingerprint: "f",
      labels: { alertname: "A" },
      annotations: {},
      startsAt: 0,
      generatorUrl: "",
    } as const;
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one" }], {
      request: { alert, source: "webhook" },
      standing: {
        ask: async () => {
          asked += 1;
          return { kind: "firing", detail: "it fires" };
        },
      },
    });
    bench.ledger.freeze(freeze);
    await looks(bench, 50);
    expect(asked).toBe(50);
    expect(bench.kinds()).toEqual(["accepted", "claimed", "preflight", "frozen"]);
    bench.ledger.unfreeze("all");
    expect(await bench.executor.execute("run_1", never)).toBe("ended");
    expect(bench.last("finished")).toMatchObject({ outcome: "succeeded" });
  });

  it("does not use up the run's time", async () => {
    const bench = aBench({ ...aRunbook([aStep("one")]), timeoutMs: 10_000 }, [{ name: "one" }]);
    bench.ledger.freeze(freeze);
    await looks(bench, 50);
    bench.ledger.unfreeze("all");
    expect(await bench.executor.execute("run_1", never)).toBe("ended");
    expect(bench.last("finished")).toMatchObject({ outcome: "succeeded" });
  });

  it.each([
    ["runbook:test", true],
    ["action:one", true],
    ["target:thing/one", true],
    ["target:t/run", true],
    ["runbook:another", false],
    ["action:two", false],
    ["target:thing/two", false],
  ])("of %s holds the step back: %s", async (scope, held) => {
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one" }], { request: { target: "t/run" } });
    bench.ledger.freeze({ ...freeze, scope });
    expect(await bench.executor.execute("run_1", never)).toBe(held ? "suspended" : "ended");
    expect(bench.actions.calls).toEqual(held ? [] : ["run one"]);
  });

  it("holds back an action that goes on, at its next look", async () => {
    const goOn = () => ({ kind: "continue", afterMs: 20_000, progress: 1 }) as const;
    const bench: Bench = aBench(aRunbook([aStep("one")]), [
      { name: "one", turns: [() => (bench.ledger.freeze(freeze), goOn()), () => ({ kind: "done", output: {} })] },
    ]);
    await looks(bench, 6);
    expect(bench.last("frozen")).toMatchObject({ step: "one" });
    expect(bench.actions.calls).toEqual(["run one"]);
    bench.ledger.unfreeze("all");
    expect(await bench.executor.execute("run_1", never)).toBe("ended");
    expect(bench.actions.calls).toEqual(["run one", "run one"]);
  });

  it("holds back neither reads nor telling people", async () => {
    const bench = aBench(aRunbook([aStep("look"), aStep("tell")]), [
      { name: "look", effect: "read", risk: "none" },
      { name: "tell", effect: "keyed", risk: "none" },
    ]);
    bench.ledger.freeze(freeze);
    expect(await bench.run()).toBe("ended");
    expect(bench.actions.calls).toEqual(["run look", "run tell"]);
  });

  it.each([
    [true, ["run one", "run two", "undo one"]],
    [false, ["run one", "run two"]],
  ])("that permits undo (%s) lets what is done be taken back", async (undo, calls) => {
    const bench: Bench = aBench(
      aRunbook([aStep("one"), aStep("two", { onFailure: { retries: 0, retryEveryMs: 0, then: { kind: "undo" } } })]),
      [
        { name: "one", undo: () => undefined },
        {
          name: "two",
          turns: [
            () => {
              bench.ledger.freeze({ ...freeze, undo });
              throw new StepFailure({ reason: "refused_by_target", message: "no", applied: "no" });
            },
          ],
        },
      ],
    );
    expect(await looks(bench, 2)).toBe(undo ? "ended" : "suspended");
    expect(bench.actions.calls).toEqual(calls);
    bench.ledger.unfreeze("all");
    await bench.executor.execute("run_1", never);
    expect(bench.actions.calls).toEqual(["run one", "run two", "undo one"]);
    expect(bench.last("finished")).toMatchObject({ outcome: "undone" });
  });

  it("lets a person's stop through: the run ends without another effect", async () => {
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one" }]);
    bench.ledger.freeze(freeze);
    await looks(bench, 1);
    bench.ledger.notice("run_1", { stop: { by: "bob", reason: "enough" } });
    expect(await bench.executor.execute("run_1", never)).toBe("ended");
    expect(bench.actions.calls).toEqual([]);
    expect(bench.last("finished")).toMatchObject({ outcome: "aborted" });
  });

  it("of the file holds back without the ledger knowing, and ends with the file", async () => {
    let file: Freeze | undefined = { ...freeze, by: "the freeze file" };
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one" }], { frozen: async () => file });
    expect(await looks(bench, 3)).toBe("suspended");
    expect(bench.actions.calls).toEqual([]);
    expect(bench.last("frozen")).toMatchObject({ by: "the freeze file" });
    file = undefined;
    expect(await bench.executor.execute("run_1", never)).toBe("ended");
    expect(bench.actions.calls).toEqual(["run one"]);
  });
});

describe("a permission that grew old", () => {
  /** A raising step whose plan says how often it was planned when `moves` is true. */
  function asked(moves: boolean, risk: "raises" | "lowers") {
    const bench = aBench(aRunbook([aStep("one")]), [{ name: "one", risk }], {
      guard: ({ approved }) => (approved ? { kind: "allow", claims: [] } : { kind: "ask", guardrail: "storm", reason: "storm: many." }),
    });
    let plans = 0;
    const find = bench.actions.find("one");
    const bound = find?.bind({});
    if (bound?.ok === true) {
      const original = { ...bound.action };
      Object.assign(bound.action, {
        plan: async (context: ActionContext) => {
          plans += 1;
          return { ...(await original.plan(context)), data: moves ? plans : 0 };
        },
      });
    }
    return bench;
  }

  it.each([
    ["is still good when the plan is still the same", 700_000, false, "raises", 1],
    ["is asked for anew when the plan became another", 700_000, true, "raises", 2],
    ["is good for ten minutes", 600_000, true, "raises", 1],
    ["does not hold back what lowers risk", 700_000, true, "lowers", 1],
  ] as const)("%s", async (_name, waitMs, moves, risk, questions) => {
    const bench = asked(moves, risk);
    await bench.run();
    await bench.clock.advance(waitMs);
    const [question] = bench.ledger.questions();
    bench.ledger.answer(question?.id ?? "", "approve");
    await bench.run();
    expect(bench.announced).toHaveLength(questions);
    expect(bench.actions.calls).toEqual(questions === 1 ? ["run one"] : []);
    expect(bench.ledger.questions().map(({ text }) => text.includes("stale-plan"))).toEqual(questions > 1 ? [true] : []);
  });

  it("tells guardrails what the run has raised already", async () => {
    const seen: (readonly string[])[] = [];
    const bench = aBench(
      aRunbook([aStep("one"), aStep("two"), aStep("three")]),
      [
        { name: "one", risk: "lowers" },
        { name: "two", risk: "raises", targets: ["thing/x"] },
        { name: "three", risk: "raises" },
      ],
      { guard: ({ raised }) => (seen.push(raised), { kind: "allow", claims: [] }) },
    );
    await bench.run();
    expect(seen).toEqual([[], [], ["thing/x"]]);
  });
});
