import { describe, expect, it } from "@jest/globals";
import type { Alert, Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Matcher } from "../../packages/sdk/src/wire/runbooks.ts";
import { aRunbook, aStep } from "../../test/builders/a-runbook.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createRecordedLog } from "../../test/fakes/recorded-log.ts";
import { createUlids } from "../core/ulid.ts";
import { createMemoryAcceptStore } from "../rehearsal/memory-accept-store.ts";
import { createIntake } from "./create-intake.ts";
import { type OpenAlert, startPoll } from "./poll.ts";
import type { AlertmanagerStatus, AlertQuestion, StandingAlert, StandingAlerts } from "./standing-alert.ts";

const second = 1000;
const minute = 60_000;
const began = Date.UTC(2026, 10, 23, 5);

function anAlert(fingerprint: string, labels: Labels = {}): Alert {
  const all = { alertname: "Burn", thing: fingerprint, ...labels };
  return { status: "firing", labels: all, annotations: {}, startsAt: began, generatorUrl: "", fingerprint };
}

function standing(alert: Alert, more: Partial<StandingAlert> = {}): StandingAlert {
  return { alert, state: "active", silencedBy: [], inhibitedBy: [], receivers: ["us"], ...more };
}

/** What a test lets an Alertmanager answer. */
interface PolledView {
  seen: StandingAlerts;
  status: AlertmanagerStatus | undefined;
  answer?: (question: AlertQuestion) => StandingAlerts;
}

/** One poll over Alertmanagers that a test turns; dispose of it by `end`. */
function aBench(count = 1) {
  const clock = createFakeClock(began + 3_600_000);
  const store = createMemoryAcceptStore(clock);
  const runbook = aRunbook([aStep("look", { action: null })], {
    id: "burn",
    target: "thing/${{ params.thing }}",
    params: { thing: { type: "string", from: "alert.labels.thing" } },
  });
  const match = (labels: Labels) => (labels["alertname"] === "Burn" ? runbook : undefined);
  let random = 0;
  const verdict = { refuse: false };
  const triggers: Matcher[][] = [[{ label: "alertname", op: "=", value: "Burn" }]];
  const decided: string[] = [];
  const intake = createIntake({
    store,
    bytes: store,
    wakeQueue: { enqueue: () => undefined },
    library: { match },
    guards: () => (verdict.refuse ? { kind: "refuse", guardrail: "cooldown", reason: "too soon" } : { kind: "allow", claims: [] }),
    clock,
    ids: createUlids(
      () => clock.now(),
      (bytes) => Uint8Array.from({ length: bytes }, () => (random = (random * 31 + 7) % 251)),
    ),
    publish: ({ decision }) => void decided.push(decision.decision),
  });
  const views = Array.from(
    { length: count },
    (): PolledView => ({
      seen: { kind: "alerts", alerts: [], unreadable: [] },
      status: { startedAt: began, receivers: ["us"] },
    }),
  );
  const told: string[] = [];
  const log = createRecordedLog();
  const open: OpenAlert[] = [];
  const drain = new AbortController();
  const questions: AlertQuestion[] = [];
  const poll = startPoll({
    alertmanagers: views.map((view, index) => ({
      name: `am-${index}`,
      alerts: async (_signal, question = {}) => {
        questions.push(question);
        return view.answer?.(question) ?? view.seen;
      },
      status: async () => view.status,
    })),
    intake,
    open: async () => open,
    match: (labels) => match(labels)?.id,
    triggers: () => triggers,
    clock,
    everyMs: minute,
    graceMs: 30 * second,
    settlesMs: 5 * minute,
    minIntervalMs: 5 * second,
    drain: drain.signal,
    publish: (event) => void (event.kind === "poll_corrected" && told.push(`${event.found} ${event.count}`)),
    log,
  });
  const settle = async () => {
    for (let round = 0; round < 50; round += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const pass = async (ms: number) => {
    for (let rest = ms; rest > 0; rest -= second) {
      await settle();
      await clock.advance(Math.min(rest, second));
    }
    await settle();
  };
  const end = async () => {
    drain.abort();
    await poll.close();
  };
  const see = (...alerts: StandingAlert[]): StandingAlerts => ({ kind: "alerts", alerts, unreadable: [] });
  return { clock, store, views, told, log, open, poll, pass, end, see, verdict, questions, triggers, decided };
}

describe("an alert that no webhook told of", () => {
  it("starts one run, from the poll, however often it is seen", async () => {
    const { views, see, pass, end, store, told } = aBench(2);
    for (const view of views) view.seen = see(standing(anAlert("f1")));
    await pass(5 * minute);
    await end();
    expect(store.runs()).toMatchObject([{ summary: { source: "poll", mode: "auto" } }]);
    expect(told).toEqual(["missed 1"]);
  });

  it.each<[string, Partial<StandingAlert>, Labels]>([
    ["is silenced", { state: "suppressed", silencedBy: ["s"] }, {}],
    ["is inhibited", { state: "suppressed", inhibitedBy: ["f9"] }, {}],
    ["is not looked at yet by Alertmanager itself", { state: "unprocessed" }, {}],
    ["is sent to somebody else", { receivers: ["people"] }, {}],
    ["no runbook matches", {}, { alertname: "Other" }],
    ["no webhook could have told of", {}, { thing: "x".repeat(5000) }],
  ])("starts none when it %s", async (_name, more, labels) => {
    const { views, see, pass, end, store } = aBench();
    for (const view of views) view.seen = see(standing(anAlert("f1", labels), more), standing(anAlert("f2")));
    await pass(second);
    await end();
    expect(store.runs().map(({ summary }) => summary.target)).toEqual(["thing/f2"]);
  });

  it("starts none while one Alertmanager of several silences it", async () => {
    const { views, see, pass, end, store } = aBench();
    for (const view of views) view.seen = see(standing(anAlert("f1")), standing(anAlert("f1"), { silencedBy: ["s"] }));
    await pass(second);
    await end();
    expect(store.runs()).toEqual([]);
  });

  it("is left to the webhook while it is young, unless a webhook has left alerts out", async () => {
    const { clock, views, see, pass, end, store, poll } = aBench();
    await pass(10 * second);
    for (const view of views) view.seen = see(standing({ ...anAlert("f1"), startsAt: clock.now() + 40 * second }));
    await pass(51 * second);
    expect(store.runs()).toEqual([]);
    poll.trigger();
    await pass(6 * second);
    expect(store.runs()).toHaveLength(1);
    await end();
  });

  it("is found within a minute of its start, also when it was too young at the last look", async () => {
    const { clock, views, see, pass, end, store } = aBench();
    await pass(59 * second);
    for (const view of views) view.seen = see(standing({ ...anAlert("f1"), startsAt: clock.now() }));
    await pass(29 * second);
    expect(store.runs()).toEqual([]);
    await pass(31 * second);
    await end();
    expect(store.runs()).toHaveLength(1);
  });

  it("is not called missed when a guardrail held it back before", async () => {
    const { views, see, pass, end, store, told, verdict } = aBench();
    verdict.refuse = true;
    for (const view of views) view.seen = see(standing(anAlert("f1")));
    await pass(30 * second);
    verdict.refuse = false;
    await pass(minute);
    await end();
    expect(store.runs()).toHaveLength(1);
    expect(told).toEqual([]);
  });
});

describe("an open run whose alert no Alertmanager holds", () => {
  async function withOpenRun(count: number) {
    const bench = aBench(count);
    for (const view of bench.views) view.seen = bench.see(standing(anAlert("f1")));
    await bench.pass(second);
    const runId = bench.store.runs()[0]?.summary.id ?? "";
    bench.open.push({ runId, runbookId: "burn", alert: anAlert("f1") });
    for (const view of bench.views) view.seen = bench.see();
    return { ...bench, heard: () => bench.store.resolvedOf(runId) };
  }

  it("hears of the end in the second look, not in the first", async () => {
    const { pass, end, heard, told } = await withOpenRun(2);
    await pass(minute);
    expect(heard()).toBeUndefined();
    await pass(minute);
    expect(heard()).toContain("ended");
    expect(told).toEqual(["missed 1", "resolved 1"]);
    await end();
  });

  it("hears of it by the one that can be asked", async () => {
    const { views, pass, end, heard } = await withOpenRun(2);
    for (const view of views.slice(0, 1)) view.seen = { kind: "unavailable", reason: "refused" };
    await pass(3 * minute);
    await end();
    expect(heard()).toContain("ended");
  });

  it.each<[string, (bench: Awaited<ReturnType<typeof withOpenRun>>) => void]>([
    ["nobody can be asked", ({ views }) => views.forEach((view) => (view.seen = { kind: "unavailable", reason: "refused" }))],
    [
      "one still holds it",
      ({ views, see }) => views.slice(0, 1).forEach((view) => (view.seen = see(standing(anAlert("f1"), { silencedBy: ["s"] })))),
    ],
    ["one does not say how long it has been up", ({ views }) => views.slice(0, 1).forEach((view) => (view.status = undefined))],
    [
      "one has just started",
      ({ views, clock }) => views.slice(0, 1).forEach((view) => (view.status = { startedAt: clock.now(), receivers: undefined })),
    ],
    ["its document no longer speaks of it", ({ open }) => open.splice(0, 1, { runId: "r", runbookId: "other", alert: anAlert("f1") })],
  ])("hears nothing when %s", async (_name, turn) => {
    const bench = await withOpenRun(2);
    turn(bench);
    await bench.pass(3 * minute);
    await bench.end();
    expect(bench.heard()).toBeUndefined();
  });
});

describe("what is asked", () => {
  const nothing: StandingAlerts = { kind: "alerts", alerts: [], unreadable: [] };
  const tooLarge: StandingAlerts = { kind: "unavailable", reason: "too large", tooLarge: true };

  it("is the receivers that call us", async () => {
    const { pass, end, questions } = aBench();
    await pass(second);
    await end();
    expect(questions).toEqual([{ receivers: ["us"] }]);
  });

  it("is each trigger once where they are not known, or have too many alerts", async () => {
    const { pass, end, questions, triggers, views, store, see } = aBench();
    triggers.push([{ label: "alertname", op: "=", value: "Other" }], [{ label: "alertname", op: "=", value: "Burn" }]);
    const [view] = views;
    if (view === undefined) throw new Error("There is an Alertmanager.");
    view.answer = ({ matchers }) =>
      matchers === undefined ? tooLarge : matchers[0]?.value === "Burn" ? see(standing(anAlert("f1"))) : nothing;
    await pass(second);
    view.status = { startedAt: began, receivers: undefined };
    await pass(minute);
    await end();
    expect(questions.map(({ receivers, matchers }) => [receivers?.length, matchers?.[0]?.value])).toEqual([
      [1, undefined],
      [1, "Burn"],
      [1, "Other"],
      [0, "Burn"],
      [0, "Other"],
    ]);
    expect(store.runs()).toHaveLength(1);
  });

  it("is an open run's own alert before it counts as ended, because its route may have changed", async () => {
    const { pass, end, views, see, store, open } = aBench();
    const [view] = views;
    if (view === undefined) throw new Error("There is an Alertmanager.");
    view.seen = see(standing(anAlert("f1")));
    await pass(second);
    const runId = store.runs()[0]?.summary.id ?? "";
    open.push({ runId, runbookId: "burn", alert: anAlert("f1") });
    view.answer = ({ labels }) => (labels === undefined ? see() : see(standing(anAlert("f1"), { receivers: ["people"] })));
    await pass(3 * minute);
    expect(store.resolvedOf(runId)).toBeUndefined();
    view.answer = () => see();
    await pass(minute);
    await end();
    expect(store.resolvedOf(runId)).toContain("ended");
  });
});

it("names an alert that cannot be read once, however often and wherever it is seen, and starts the others", async () => {
  const { pass, end, views, store, decided } = aBench(2);
  const odd = { fingerprint: "odd", reason: "The alert cannot be read: labels." };
  for (const view of views) view.seen = { kind: "alerts", alerts: [standing(anAlert("f1"))], unreadable: [odd] };
  await pass(5 * minute);
  await end();
  expect(decided.filter((decision) => decision === "unreadable")).toEqual(["unreadable"]);
  expect(store.runs()).toHaveLength(1);
});

it("judges a long list with turns for others in between", async () => {
  const { end, views, store, see } = aBench();
  const others = Array.from({ length: 10_000 }, (_, index) => standing(anAlert(`f${index}`, { alertname: "Other" })));
  for (const view of views) view.seen = see(...others, standing(anAlert("burn")));
  let turns = 0;
  let isLooking = true;
  const turn = () => {
    turns += 1;
    if (isLooking) setImmediate(turn);
  };
  setImmediate(turn);
  while (store.runs().length === 0) await new Promise((resolve) => setImmediate(resolve));
  isLooking = false;
  await end();
  expect(turns).toBeGreaterThan(10);
});

it("goes on when the store is down for a while, and finds the alert then", async () => {
  const { views, see, pass, end, store, log } = aBench();
  store.failing(true);
  for (const view of views) view.seen = see(standing(anAlert("f1")));
  await pass(second);
  expect(log.lines[0]).toMatchObject({ level: "warn", fields: { work: "alert poll" } });
  store.failing(false);
  await pass(minute);
  await end();
  expect(store.runs()).toHaveLength(1);
});

it("looks no more often than it may, however often it is triggered", async () => {
  const { pass, end, poll, questions } = aBench();
  for (let round = 0; round < 20; round += 1) {
    poll.trigger();
    await pass(second);
  }
  await end();
  expect(questions.length).toBeLessThanOrEqual(5);
});
