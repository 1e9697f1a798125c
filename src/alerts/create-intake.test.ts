import { describe, expect, it } from "@jest/globals";
import type { Decision, Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import { aRunbook, aStep } from "../../test/builders/a-runbook.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { StoreUnavailable } from "../core/store-unavailable.ts";
import { createUlids } from "../core/ulid.ts";
import type { Verdict } from "../core/verdict.ts";
import { createMemoryAcceptStore } from "../rehearsal/memory-accept-store.ts";
import { createIntake } from "./create-intake.ts";
import type { Notification, ReceivedAlert } from "./notification.ts";
import type { RunCandidate, RunFacts } from "./prepare-run.ts";

const minute = 60_000;

const steps = [aStep("look", { action: null })];

const budgetRunbook = aRunbook(steps, {
  id: "cost",
  source: "# Runbook: Cost\n",
  target: "budget/${{ params.budget }}",
  params: { budget: { type: "string", from: "alert.labels.budget" } },
  mode: "auto",
  cooldownMs: 30 * minute,
});

function setUp(options: { runbooks?: Readonly<Record<string, Runbook>>; verdict?: Verdict; everyWriteConflicts?: boolean } = {}) {
  const clock = createFakeClock(Date.UTC(2026, 10, 23, 6));
  const store = createMemoryAcceptStore(clock);
  const rung: string[] = [];
  const published: Decision[] = [];
  const asked: { candidate: RunCandidate; facts: RunFacts }[] = [];
  const runbooks = options.runbooks ?? { Burn: budgetRunbook };
  let random = 0;
  const intake = createIntake({
    store:
      options.everyWriteConflicts === true
        ? { ...store, accept: async (writes) => writes.map(() => ({ kind: "conflict" as const })) }
        : store,
    bytes: store,
    wakeQueue: { enqueue: (runId) => rung.push(runId) },
    library: { match: (labels) => runbooks[labels["alertname"] ?? ""] },
    guards: (candidate, facts) => {
      asked.push({ candidate, facts });
      return options.verdict ?? { kind: "allow", claims: [] };
    },
    clock,
    ids: createUlids(
      () => clock.now(),
      (count) => Uint8Array.from({ length: count }, (_, index) => (index === 0 ? (random += 1) : random >> 5)),
    ),
    publish: ({ decision }) => published.push(decision),
  });
  const now = clock.now();
  const firing = (fingerprint: string, labels: Labels = {}, startsAt = now): ReceivedAlert => ({
    alert: {
      status: "firing",
      labels: { alertname: "Burn", budget: "checkout", ...labels },
      annotations: {},
      startsAt,
      generatorUrl: "",
      fingerprint,
    },
  });
  const resolved = (fingerprint: string, endsAt = now + minute): ReceivedAlert => {
    const { alert } = firing(fingerprint);
    return { alert: { ...alert, status: "resolved", endsAt } };
  };
  return { clock, store, rung, published, asked, intake, firing, resolved, now };
}

function notification(...alerts: ReceivedAlert[]): Notification {
  return { receiver: "runbookd", groupKey: "{}", truncatedAlerts: 0, alerts, unreadable: [] };
}

describe("a firing alert that a runbook matches", () => {
  it("starts a run that is durable, pinned and rung for", async () => {
    const { intake, store, rung, firing, now } = setUp();
    const [decision] = await intake.accept(notification(firing("f1")));
    expect(decision).toEqual({ fingerprint: "f1", decision: "enqueued", runbook: "cost", runId: expect.stringMatching(/^run_/) });
    const [run] = store.runs();
    expect(run?.summary).toEqual({
      id: decision?.runId,
      runbookId: "cost",
      runbookSha: budgetRunbook.sha256,
      mode: "auto",
      state: "queued",
      target: "budget/checkout",
      alertName: "Burn",
      source: "webhook",
      acceptedAt: now,
    });
    expect(run?.journal).toEqual([
      { kind: "accepted", at: now, runId: decision?.runId, request: expect.objectContaining({ params: { budget: "checkout" } }) },
    ]);
    expect(await store.get(budgetRunbook.sha256)).toBe(budgetRunbook.source);
    expect(rung).toEqual([decision?.runId]);
  });

  it("tells the open run of its target that it fires too, once, when the document asks for that", async () => {
    const { intake, store, rung, firing } = setUp({ runbooks: { Burn: { ...budgetRunbook, onJoined: "repeat" } } });
    const [first] = await intake.accept(notification(firing("f1")));
    for (let times = 0; times < 2; times += 1) {
      expect(await intake.accept(notification(firing("f2", { window: "5m" })))).toMatchObject([
        { decision: "joined", runId: first?.runId },
      ]);
    }
    expect(store.joinedOf(first?.runId ?? "")).toEqual(["Burn (f2) fires too."]);
    expect(rung).toEqual([first?.runId, first?.runId]);
    const plain = setUp();
    const [other] = await plain.intake.accept(notification(plain.firing("f1")));
    await plain.intake.accept(notification(plain.firing("f2")));
    expect(plain.store.joinedOf(other?.runId ?? "")).toEqual([]);
    expect(plain.rung).toHaveLength(1);
  });

  it("starts a run of its own when the run that it joined has ended without having heard of it", async () => {
    const { intake, store, firing } = setUp({ runbooks: { Burn: { ...budgetRunbook, onJoined: "repeat" } } });
    const [first] = await intake.accept(notification(firing("f1")));
    await intake.accept(notification(firing("f2")));
    store.endRun(first?.runId ?? "");
    const [repeated] = await intake.accept(notification(firing("f2")));
    expect(repeated).toMatchObject({ decision: "enqueued" });
    expect(repeated?.runId).not.toBe(first?.runId);
    expect(await intake.accept(notification(firing("f1")))).toMatchObject([{ decision: "joined", runId: first?.runId }]);
  });

  it("that joined a run tells it nothing when it ends", async () => {
    const { intake, store, firing, resolved } = setUp({ runbooks: { Burn: { ...budgetRunbook, onJoined: "repeat" } } });
    const [first] = await intake.accept(notification(firing("f1")));
    await intake.accept(notification(firing("f2")));
    await intake.accept(notification(resolved("f2")));
    expect(store.resolvedOf(first?.runId ?? "")).toBeUndefined();
    await intake.accept(notification(resolved("f1")));
    expect(store.resolvedOf(first?.runId ?? "")).toContain("(f1)");
  });

  it("is not started twice by a repeat, another replica or another source", async () => {
    const { intake, store, firing, now, rung } = setUp();
    const [first] = await intake.accept(notification(firing("f1")));
    const repeats = [firing("f1"), firing("f1", {}, now - 30_000), firing("f1", {}, now + 30_000)];
    for (const repeat of repeats) {
      expect(await intake.accept(notification(repeat), "poll")).toEqual([
        { fingerprint: "f1", decision: "joined", runbook: "cost", runId: first?.runId },
      ]);
    }
    expect(store.runs()).toHaveLength(1);
    expect(rung).toHaveLength(1);
  });

  it("joins the open run of the same runbook and target", async () => {
    const { intake, store, firing } = setUp();
    const decisions = await intake.accept(notification(firing("f1"), firing("f2"), firing("f3", { budget: "search" })));
    expect(decisions.map(({ decision }) => decision)).toEqual(["enqueued", "joined", "enqueued"]);
    expect(decisions[1]?.runId).toBe(decisions[0]?.runId);
    expect(store.runs()).toHaveLength(2);
  });

  it("takes the time of receipt of an alert from the future, and says so", async () => {
    const { intake, firing } = setUp();
    const [decision] = await intake.accept(notification({ ...firing("f1"), clockFault: "Its time lies ahead." }));
    expect(decision).toMatchObject({ decision: "enqueued", reason: "Its time lies ahead." });
  });
});

describe("what starts nothing", () => {
  it("is unmatched when no runbook's triggers match, and nothing is stored", async () => {
    const { intake, store, firing } = setUp({ runbooks: {} });
    expect(await intake.accept(notification(firing("f1")))).toEqual([
      { fingerprint: "f1", decision: "unmatched", reason: expect.stringContaining("No runbook") },
    ]);
    expect(store.episodes()).toEqual([]);
  });

  it.each([
    ["a label that a parameter needs is missing", { budget: "" }, "params.budget: alert.labels.budget is missing."],
    ["the target would be a wildcard", { budget: "*" }, "no explicit name"],
    ["the target would hold a blank", { budget: "a b" }, "no explicit name"],
  ])("is refused with the reason when %s", async (_name, labels, reason) => {
    const { intake, store, firing } = setUp();
    const [decision] = await intake.accept(notification(firing("f1", labels)));
    expect(decision).toMatchObject({ decision: "refused", reason: expect.stringContaining(reason) });
    expect(store.runs()).toEqual([]);
  });

  it("is refused when the target's template reads a label that is not there", async () => {
    const runbook = aRunbook(steps, { id: "cost", target: "tenant/${{ alert.labels.tenant }}" });
    const { intake, firing } = setUp({ runbooks: { Burn: runbook } });
    expect(await intake.accept(notification(firing("f1")))).toEqual([
      { fingerprint: "f1", runbook: "cost", decision: "refused", reason: expect.stringContaining("tenant") },
    ]);
  });

  it("is refused in a guardrail's words", async () => {
    const { intake, firing, asked } = setUp({ verdict: { kind: "refuse", guardrail: "mode", reason: "Not today." } });
    expect(await intake.accept(notification(firing("f1")))).toEqual([
      { fingerprint: "f1", runbook: "cost", decision: "refused", reason: "mode: Not today.", guardrail: "mode" },
    ]);
    expect(asked).toEqual([
      {
        candidate: {
          runbookId: "cost",
          fingerprint: "f1",
          target: "budget/checkout",
          mode: "auto",
          cooldownMs: 30 * minute,
          actions: [],
          limits: {},
        },
        facts: { episodesInDay: 1 },
      },
    ]);
  });

  it("is refused while a cooldown lasts, and starts once it is over although the alert never resolved", async () => {
    const claims = [{ bucket: "cooldown:x", max: 1, windowMs: 30 * minute, amount: 1 }];
    const { intake, store, clock, firing } = setUp({ verdict: { kind: "allow", claims } });
    const [first] = await intake.accept(notification(firing("f1")));
    store.endRun(first?.runId ?? "");
    const [refused] = await intake.accept(notification(firing("f2")));
    expect(refused).toMatchObject({ decision: "refused", reason: expect.stringContaining("cooldown:x is taken until 2026-11-23T06:30") });
    await clock.advance(31 * minute);
    expect(await intake.accept(notification(firing("f2")))).toMatchObject([{ decision: "enqueued" }]);
  });

  it("is paused while frozen, and starts with a later notification once it is not", async () => {
    const { intake, store, firing } = setUp();
    store.freeze({ scope: "runbook:cost", by: "ann", reason: "a release", at: 1, undo: true });
    expect(await intake.accept(notification(firing("f1")))).toMatchObject([
      { decision: "paused", reason: "Frozen (runbook:cost) by ann: a release" },
    ]);
    store.unfreeze("runbook:cost");
    expect(await intake.accept(notification(firing("f1")))).toMatchObject([{ decision: "enqueued" }]);
  });

  it("only observes when it is marked as a test, whatever the guardrails say", async () => {
    const { intake, firing, store, asked } = setUp({ verdict: { kind: "refuse", guardrail: "cooldown", reason: "too soon" } });
    expect(await intake.accept(notification(firing("f1", { runbookd_test: "true" })))).toMatchObject([{ decision: "enqueued" }]);
    expect(store.runs()).toMatchObject([{ summary: { mode: "observe" } }]);
    expect(asked).toEqual([]);
    expect(await intake.accept(notification(firing("f2", { runbookd_test: "yes" })))).toMatchObject([{ decision: "refused" }]);
  });

  it("does not join the run of a test alert, which would only observe", async () => {
    const { intake, firing, store } = setUp();
    await intake.accept(notification(firing("f1", { runbookd_test: "true" })));
    expect(await intake.accept(notification(firing("f2")))).toMatchObject([{ decision: "enqueued" }]);
    expect(store.runs().map(({ summary }) => summary.mode)).toEqual(["observe", "auto"]);
  });

  it("runs with a person's permission for every change when a guardrail asks", async () => {
    const { intake, store, firing } = setUp({ verdict: { kind: "ask", guardrail: "flap", reason: "It flaps." } });
    await intake.accept(notification(firing("f1")));
    expect(store.runs()[0]?.summary.mode).toBe("approve");
  });
});

describe("a resolved alert", () => {
  it("is told to its run, and the run is rung for", async () => {
    const { intake, store, rung, firing, resolved } = setUp();
    const [started] = await intake.accept(notification(firing("f1")));
    expect(await intake.accept(notification(resolved("f1")))).toEqual([
      { fingerprint: "f1", runbook: "cost", decision: "resolved", runId: started?.runId },
    ]);
    expect(store.resolvedOf(started?.runId ?? "")).toContain("Burn (f1) ended at 2026-11-23T06:01");
    expect(rung).toHaveLength(2);
    expect(await intake.accept(notification(resolved("f1")))).toMatchObject([{ decision: "resolved", runId: started?.runId }]);
  });

  it("is not told to a run that was started for another alert", async () => {
    const { intake, store, firing, resolved, rung } = setUp();
    const [first] = await intake.accept(notification(firing("f1"), firing("f2")));
    expect(await intake.accept(notification(resolved("f2")))).toMatchObject([{ decision: "resolved", runId: first?.runId }]);
    expect(store.resolvedOf(first?.runId ?? "")).toBeUndefined();
    expect(rung).toHaveLength(1);
  });

  it("starts nothing without a firing, and neither does the firing that it overtook", async () => {
    const { intake, store, firing, resolved } = setUp();
    expect(await intake.accept(notification(resolved("f1")))).toMatchObject([{ decision: "resolved" }]);
    expect(await intake.accept(notification(firing("f1")))).toMatchObject([
      { decision: "stale", reason: expect.stringContaining("began before") },
    ]);
    expect(store.runs()).toEqual([]);
  });

  it("speaks for its fingerprint when the same notification also holds its firing", async () => {
    const { intake, store, firing, resolved } = setUp();
    expect(await intake.accept(notification(firing("f1"), resolved("f1")))).toMatchObject([{ fingerprint: "f1", decision: "resolved" }]);
    expect(store.runs()).toEqual([]);
  });
});

describe("every notification", () => {
  it("gets one decision per fingerprint, in order, each published", async () => {
    const { intake, published, firing, resolved } = setUp();
    const decisions = await intake.accept(notification(firing("f1"), firing("f2", { alertname: "Other" }), resolved("f3"), firing("f1")));
    expect(decisions.map(({ fingerprint, decision }) => [fingerprint, decision])).toEqual([
      ["f1", "enqueued"],
      ["f2", "unmatched"],
      ["f3", "resolved"],
    ]);
    expect(published).toEqual(decisions);
  });

  it("without alerts is answered with none", async () => {
    expect(await setUp().intake.accept(notification())).toEqual([]);
  });

  it("of five thousand alerts is decided whole, with one run per target", async () => {
    const { intake, store, firing } = setUp();
    const alerts = Array.from({ length: 5000 }, (_, index) => firing(`f${index}`, { budget: `b${index % 100}` }));
    const decisions = await intake.accept(notification(...alerts));
    expect(decisions).toHaveLength(5000);
    expect(store.runs()).toHaveLength(100);
  });

  it("is decided again when the episode changed meanwhile", async () => {
    const { intake, store, firing } = setUp();
    let interfered = false;
    store.beforeWrite((write) => {
      if (interfered) return;
      interfered = true;
      void store.accept([write]);
    });
    const decisions = await intake.accept(notification(firing("f1")));
    expect(decisions).toMatchObject([{ decision: "joined" }]);
    expect(store.runs()).toHaveLength(1);
  });

  it("gives up as unavailable when the episode never stops changing", async () => {
    const { intake, store, firing, published, rung } = setUp({ everyWriteConflicts: true });
    await expect(intake.accept(notification(firing("f1")))).rejects.toBeInstanceOf(StoreUnavailable);
    expect([store.runs(), published, rung]).toEqual([[], [], []]);
  });

  it("is rejected as unavailable when the store is, and is decided afterwards as if it had come first then", async () => {
    const { intake, store, firing, published, rung } = setUp();
    store.failing(true);
    await expect(intake.accept(notification(firing("f1")))).rejects.toBeInstanceOf(StoreUnavailable);
    expect([published, rung]).toEqual([[], []]);
    store.failing(false);
    expect(await intake.accept(notification(firing("f1")))).toMatchObject([{ decision: "enqueued" }]);
  });
});
