import { describe, expect, it } from "@jest/globals";
import type { Alert } from "../../../packages/sdk/src/wire/alerts.ts";
import type { Runbook } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { RunRequest } from "../../../packages/sdk/src/wire/runs.ts";
import { anExpression, aRunbook, aStep } from "../../../test/builders/a-runbook.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { type ScriptedAction, scriptActions } from "../../../test/fakes/scripted-actions.ts";
import { createMemoryRunJournal } from "../../rehearsal/memory-run-journal.ts";
import type { StandingResult } from "./alert-standing.ts";
import { createExecutor, type Execution } from "./execute-run.ts";

const alert: Alert = { status: "firing", labels: { alertname: "Burn" }, annotations: {}, startsAt: 0, generatorUrl: "", fingerprint: "f1" };
const approval = { role: "approver", of: 1, withinMs: 3_600_000 } as const;

/** One run of an alert, with a hand on how the alert stands; `"fails"`: the question itself breaks. */
function aBench(
  runbook: Runbook,
  scripts: readonly ScriptedAction[],
  request: Partial<RunRequest> & Pick<RunRequest, "source"> = { source: "webhook", alert },
  locked: { tries: number } = { tries: 0 },
) {
  const clock = createFakeClock();
  const ledger = createMemoryRunJournal(clock);
  const actions = scriptActions(scripts);
  const base = { runbookId: "test", runbookSha: runbook.sha256, mode: "auto", params: {} } as const;
  ledger.create("run_1", { ...base, ...request });
  type Told = StandingResult["kind"] | "fails";
  /** `first`: told before `now`, one by one. */
  const stands: { first: Told[]; now: Told; asked: string[] } = { first: [], now: "firing", asked: [] };
  let question = 0;
  const executor = createExecutor(
    {
      journal: ledger,
      runbooks: { get: async () => runbook },
      actions,
      guard({ mode }, now) {
        if (mode === "observe") return { kind: "refuse", guardrail: "mode", reason: "observe" };
        const held = (locked.tries -= 1) >= 0;
        return held ? { kind: "refuse", guardrail: "target-lock", reason: "held", retryAt: now + 8000 } : { kind: "allow", claims: [] };
      },
      metrics: { query: async () => ({ kind: "unavailable", reason: "no Prometheus in this test" }) },
      standing: {
        async ask({ fingerprint }) {
          stands.asked.push(fingerprint);
          const kind = stands.first.shift() ?? stands.now;
          if (kind === "fails") throw new Error("broken");
          return { kind, detail: `it is ${kind}` };
        },
      },
      publish: () => undefined,
      announce: async () => undefined,
    },
    { clock, questionId: () => `q_${(question += 1)}`, cooldownOf: () => [] },
  );
  async function look(drain = new AbortController().signal): Promise<Execution> {
    const execution = executor.execute("run_1", drain);
    const state = { settled: false };
    const watched = execution.finally(() => (state.settled = true));
    for (let round = 0; round < 5000; round += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (state.settled) break;
      if (clock.sleeping() > 0) await clock.advance(100);
    }
    return watched;
  }
  const journal = () => ledger.journal("run_1");
  return {
    clock,
    ledger,
    actions,
    stands,
    look,
    preflights: () => journal().flatMap((entry) => (entry.kind === "preflight" ? [entry.standing] : [])),
    finished: () => journal().findLast((entry) => entry.kind === "finished"),
  };
}

describe("before anything is changed", () => {
  it("asks how the alert stands, once, and goes on when it fires", async () => {
    const { look, actions, stands, preflights, finished } = aBench(aRunbook([aStep("one"), aStep("two")]), [
      { name: "one" },
      { name: "two" },
    ]);
    expect(await look()).toBe("ended");
    expect(actions.calls).toEqual(["run one", "run two"]);
    expect(preflights()).toEqual(["firing"]);
    expect(stands.asked).toEqual(["f1"]);
    expect(finished()).toMatchObject({ outcome: "succeeded" });
  });

  it.each(["gone", "silenced"] as const)("stands down when the alert was %s while the run waited in the queue", async (now) => {
    const { look, clock, actions, stands, finished } = aBench(aRunbook([aStep("one")]), [{ name: "one" }]);
    stands.now = now;
    await clock.advance(600_000);
    expect(await look()).toBe("ended");
    expect(actions.calls).toEqual([]);
    expect(finished()).toMatchObject({ outcome: "stood_down", reason: expect.stringContaining(`it is ${now}`) });
  });

  it("asks again when a person has given permission, and stands down when the alert ended meanwhile", async () => {
    const { look, ledger, actions, stands, preflights, finished } = aBench(aRunbook([aStep("one", { approval })]), [{ name: "one" }]);
    expect(await look()).toBe("suspended");
    stands.now = "gone";
    ledger.answer("q_1", "approve");
    expect(await look()).toBe("ended");
    expect(preflights()).toEqual(["firing", "gone"]);
    expect(actions.calls).toEqual([]);
    expect(finished()).toMatchObject({ outcome: "stood_down" });
  });

  it("asks again when another worker takes over after a crash", async () => {
    const { look, clock, ledger, actions, stands, finished } = aBench(aRunbook([aStep("one")]), [{ name: "one" }]);
    const claimed = await ledger.claim("run_1");
    if ("refused" in claimed) throw new Error("not claimed");
    await ledger.append(claimed.lease, {
      head: claimed.head,
      entries: [{ at: clock.now(), epoch: claimed.lease.epoch, kind: "preflight", standing: "firing", detail: "it is firing" }],
      state: "running",
      summary: {},
      claims: [],
      recordedNotices: { stop: false, resolved: false },
    });
    ledger.expireLease("run_1");
    stands.now = "silenced";
    expect(await look()).toBe("ended");
    expect(actions.calls).toEqual([]);
    expect(finished()).toMatchObject({ outcome: "stood_down" });
  });

  it("asks again when the answer has become old while the run waited for its target", async () => {
    const { look, preflights, actions } = aBench(aRunbook([aStep("one")]), [{ name: "one" }], undefined, { tries: 6 });
    expect(await look()).toBe("ended");
    expect(actions.calls).toEqual(["run one"]);
    expect(preflights()).toEqual(["firing", "firing"]);
  });

  it("ends inconclusive when it could not see three times, and changes nothing", async () => {
    const { look, actions, stands, preflights, finished } = aBench(aRunbook([aStep("one")]), [{ name: "one" }]);
    stands.now = "fails";
    expect(await look()).toBe("ended");
    expect(preflights()).toEqual(["unknown", "unknown", "unknown"]);
    expect(actions.calls).toEqual([]);
    expect(finished()).toMatchObject({ outcome: "inconclusive", reason: expect.stringContaining("could not be seen") });
  });

  it("goes on when it can see again", async () => {
    const { look, actions, stands, preflights } = aBench(aRunbook([aStep("one")]), [{ name: "one" }]);
    stands.first = ["unknown", "fails"];
    expect(await look()).toBe("ended");
    expect(preflights()).toEqual(["unknown", "unknown", "firing"]);
    expect(actions.calls).toEqual(["run one"]);
  });
});

describe("nobody is asked", () => {
  const nobody = async (bench: ReturnType<typeof aBench>) => {
    bench.stands.now = "gone";
    expect(await bench.look()).toBe("ended");
    expect(bench.stands.asked).toEqual([]);
    return bench;
  };

  it.each<[string, Partial<RunRequest> & Pick<RunRequest, "source">]>([
    ["that has no alert", { source: "manual" }],
    ["that a person repeats", { source: "rerun", alert, requester: "ann" }],
    ["whose alert came from Grafana", { source: "webhook", alert: { ...alert, sender: "grafana" } }],
  ])("about a run %s", async (_name, request) => {
    const bench = await nobody(aBench(aRunbook([aStep("one")]), [{ name: "one" }], request));
    expect(bench.actions.calls).toEqual(["run one"]);
  });

  it("about a run that only observes", async () => {
    const bench = await nobody(aBench(aRunbook([aStep("one")]), [{ name: "one" }], { source: "poll", alert, mode: "observe" }));
    expect(bench.actions.calls).toEqual([]);
  });

  it("before a step that only reads", async () => {
    const bench = await nobody(aBench(aRunbook([aStep("look")]), [{ name: "look", effect: "read" }]));
    expect(bench.actions.calls).toEqual(["run look"]);
  });
});

describe("once something is changed", () => {
  const waiting = [aStep("one"), aStep("two", { approval })];

  it("goes on after a wait although the alert is gone, because a stop that works makes its own alert resolve", async () => {
    const { look, ledger, actions, stands, preflights, finished } = aBench(aRunbook(waiting), [{ name: "one" }, { name: "two" }]);
    expect(await look()).toBe("suspended");
    stands.now = "gone";
    ledger.notice("run_1", { resolved: "It ended." });
    ledger.answer("q_1", "approve");
    expect(await look()).toBe("ended");
    expect(actions.calls).toEqual(["run one", "run two"]);
    expect(preflights()).toEqual(["firing"]);
    expect(finished()).toMatchObject({ outcome: "succeeded" });
  });

  it("goes on after a false resolve of an alert that fires again", async () => {
    const runbook = aRunbook([aStep("one", { expected: { expression: anExpression("result.ok") } }), aStep("two")]);
    const bench: ReturnType<typeof aBench> = aBench(runbook, [
      {
        name: "one",
        turns: [
          () => {
            bench.ledger.notice("run_1", { resolved: "A gap in the data." });
            return { kind: "done", output: { ok: true } };
          },
        ],
      },
      { name: "two" },
    ]);
    expect(await bench.look()).toBe("ended");
    expect(bench.actions.calls).toEqual(["run one", "run two"]);
  });

  it("undoes when the alert ends and the document says on_resolved: undo", async () => {
    const runbook = aRunbook(waiting, { onResolved: "undo" });
    const { look, ledger, actions, finished } = aBench(runbook, [{ name: "one", undo: () => undefined }, { name: "two" }]);
    expect(await look()).toBe("suspended");
    ledger.notice("run_1", { resolved: "It ended." });
    expect(await look()).toBe("ended");
    expect(actions.calls).toEqual(["run one", "undo one"]);
    expect(finished()).toMatchObject({ outcome: "undone" });
  });
});
