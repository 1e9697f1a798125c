import { describe, expect, it } from "@jest/globals";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import { genesisHead, nextHead } from "../../src/core/journal.ts";
import { createRandom } from "../../src/core/random.ts";
import type { ValueWrite } from "../../test/servers/counting-target.ts";
import { delaysBesideMails } from "./edge-invariants.ts";
import { createFaultSequence, faultKinds } from "./faults.ts";
import type { Arrival, History, NoticeOutcome, RunRecord } from "./history.ts";
import { duplicatesOf, invariants, residualsOf } from "./invariants.ts";
import { parseOffsets, withMachineTimes } from "./machine-times.ts";
import { resumeTimes } from "./resume-times.ts";
import { judge, renderVerdict } from "./verdict.ts";

/** Hand-made histories: one that is sound, and one for each way in which it may not be. */
const plan = { summary: "", targets: [], changes: [], reversible: false, data: {} };

function intent(step: string, at: number, epoch = 1, more: { readonly attempt?: number; readonly planSha?: string } = {}): JournalEntry {
  const { attempt = 1, planSha = "p" } = more;
  return { kind: "intent", at, epoch, step, action: "poke", effect: "set", attempt, group: 0, idempotencyKey: step, plan, planSha };
}
const completed = (step: string, at: number, epoch = 1): JournalEntry => ({ kind: "completed", at, epoch, step });
const finished = (at: number, epoch = 1, outcome: "succeeded" | "undone" = "succeeded"): JournalEntry => ({
  kind: "finished",
  at,
  epoch,
  outcome,
  reason: "",
});
const written = { run: "run", step: "one", name: "1 first", applied: true } as const;
const set = (at: number): ValueWrite => ({ ...written, kind: "set", found: "nothing", expected: "nothing", to: "run", at });
const planted = (at: number): ValueWrite => ({ ...written, kind: "planted", run: "", found: "run", expected: "", to: "planted", at });
const undo = (at: number, more: Partial<ValueWrite> = {}): ValueWrite => ({
  ...written,
  kind: "undo",
  found: "run",
  expected: "run",
  to: "nothing",
  at,
  ...more,
});
const claimed = (at: number, epoch: number, pid: number): JournalEntry => ({ kind: "claimed", at, epoch, worker: `${epoch}:${pid}-x` });
const answered = (at: number, answer: string): JournalEntry => ({
  kind: "answered",
  at,
  questionId: "q",
  answer: { answer, reason: "", by: "ann", at },
});

function run(entries: readonly JournalEntry[], more: Partial<RunRecord> = {}): RunRecord {
  const texts = entries.map((entry) => JSON.stringify(entry));
  const head = texts.reduce((before, text) => nextHead(before, text), genesisHead);
  return { id: "run", state: "ended", target: "thing/1", head, texts, entries, ...more };
}
function arrival(step: string, at: number, more: Partial<Arrival> = {}): Arrival {
  return { run: "run", step, effect: "set", applied: true, pid: 1, at, ...more };
}

const good = run([intent("one", 10), completed("one", 20), intent("two", 30), completed("two", 40), finished(50)]);
const sound: History = {
  accepted: [{ fingerprint: "a", runId: "run", askedAt: 1, answeredAt: 2 }],
  runs: [good],
  arrivals: [arrival("one", 11), arrival("two", 31)],
  freezes: [],
  killSwitches: [],
  writes: [],
  unfit: [],
  names: [],
  storeClocks: [{ from: 0, offsetMs: 0 }],
  offsets: [],
  orphanings: [],
  notices: [],
  trickles: [],
  outages: [],
  limit: { max: 2, windowMs: 100 },
  needsApproval: [],
};
const violationsOf = (name: string, change: Partial<History>) => invariants[name]?.check({ ...sound, ...change }) ?? ["no such invariant"];

describe("the checker", () => {
  it.each(Object.keys(invariants))("finds nothing wrong by %s with a sound history", (name) => {
    expect(violationsOf(name, {})).toEqual([]);
  });

  const approval = { id: "q", runId: "run", runbookId: "r", stepId: "one", kind: "approve", text: "", answers: [], askedAt: 1 } as const;
  const asked = (planSha: string): JournalEntry => ({
    kind: "asked",
    at: 1,
    epoch: 1,
    question: { ...approval, planSha, role: "approver" },
  });
  const undoIntent: JournalEntry = { kind: "undo_intent", at: 60, epoch: 1, step: "one", attempt: 1, idempotencyKey: "k" };
  const undone: JournalEntry = { kind: "undone", at: 61, epoch: 1, step: "one" };
  const accepted = { fingerprint: "a", runId: "run" };
  const unfit = (from: number, to: number) => ({ from, to, setting: "appendonly no", runs: [] });
  const held = (pid: number, from: number, to: number) => ({ pid, name: "vm/0", from, to, hasLostName: false });
  const clockSet = (from: number) => ({
    storeClocks: [
      { from: 0, offsetMs: 0 },
      { from, offsetMs: 0 },
    ],
  });
  const orphaned = { pid: 9, isBound: true, endedAlone: true, livedBesideNext: false };
  const notice = (putAt: number, arrivedAt: number): NoticeOutcome => ({
    key: `q${putAt}`,
    lane: "default/webhook/desk",
    state: "sent",
    putAt,
    arrivedAt,
  });
  const broken: readonly (readonly [string, string, Partial<History>])[] = [
    ["I1", "an accepted alert whose run is gone", { runs: [] }],
    ["I1", "an accepted alert whose run nobody ends", { runs: [{ ...good, state: "running" }] }],
    ["I1", "an accepted alert whose run waits for nothing", { runs: [{ ...good, state: "suspended" }] }],
    ["I2", "a set effect that is applied again", { arrivals: [arrival("one", 11), arrival("one", 12)] }],
    [
      "I2",
      "an opaque effect that is attempted again by nobody's order",
      { arrivals: [arrival("one", 11, { effect: "once" }), arrival("one", 12, { effect: "once" })] },
    ],
    ["I3", "effects in another order than the steps", { arrivals: [arrival("two", 31), arrival("one", 32)] }],
    ["I3", "an effect after the end", { arrivals: [arrival("one", 11), arrival("two", 60)] }],
    ["I4", "an old epoch that writes after a new one", { runs: [run([intent("one", 10, 2), completed("one", 20, 1)])] }],
    [
      "I4",
      "a step that is attempted after it was completed",
      { runs: [run([intent("one", 10), completed("one", 20), intent("one", 30)])] },
    ],
    ["I4", "a step that is completed twice", { runs: [run([intent("one", 10), completed("one", 20), completed("one", 30)])] }],
    ["I5", "a journal that is not the projection's", { runs: [{ ...good, texts: good.texts.slice(1) }] }],
    ["I6", "an intent without a permission", { needsApproval: ["one"] }],
    [
      "I6",
      "a permission of another plan",
      { needsApproval: ["one"], runs: [run([asked("other"), answered(2, "approve"), intent("one", 10, 1, { planSha: "this" })])] },
    ],
    ["I7", "two runs at one target", { runs: [good, { ...good, id: "other" }] }],
    [
      "I8",
      "more effects than two windows permit",
      { runs: [run(["a", "b", "c", "d", "e"].map((step, index) => intent(step, 10 + index)))] },
    ],
    ["I9", "an undo without an intent", { runs: [run([undone])] }],
    ["I9", "an undo that happens twice", { runs: [run([undoIntent, undone, undone])] }],
    ["I9", "an undo that begins again", { runs: [run([undoIntent, undone, undoIntent])] }],
    ["I9", "an undo over a value that somebody else has set", { writes: [set(1), planted(2), undo(3, { found: "planted" })] }],
    ["I9", "an undo to another value than was there before", { writes: [set(1), undo(3, { to: "elsewhere" })] }],
    ["I9", "a run that ended undone and left its value", { writes: [set(1)], runs: [{ ...good, entries: [finished(50, 1, "undone")] }] }],
    ["G11", "an intent under the kill switch", { killSwitches: [{ from: 0, to: 25, undo: true }] }],
    [
      "G11",
      "an undo that the kill switch forbids",
      { runs: [run([undoIntent, undone])], killSwitches: [{ from: 50, to: 70, undo: false }] },
    ],
    ["I10", "an effect without an intent", { arrivals: [arrival("three", 70)] }],
    ["I10", "an effect before its intent", { arrivals: [arrival("one", 1)] }],
    ["R16", "an alert that an unfit store took", { unfit: [unfit(60, 90)], accepted: [{ ...accepted, askedAt: 70, answeredAt: 80 }] }],
    ["R16", "a run that is claimed in an unfit store", { unfit: [unfit(90, 110)], runs: [run([claimed(105, 100, 1)])] }],
    ["R16", "an effect that begins with an unfit store", { unfit: [unfit(0, 19)] }],
    ["R16", "a run in a store that was empty and unfit", { unfit: [{ ...unfit(60, 70), runs: ["{rb}:run:x"] }] }],
    ["P02", "two processes under one name", { names: [held(1, 0, 50), held(2, 20, 90)] }],
    [
      "P02",
      "two processes under one name long after Redis' clock was set",
      { ...clockSet(1), names: [held(1, 0, 90_000), held(2, 40_000, 90_000)] },
    ],
    ["R20", "a redis-server that goes on without its parent", { orphanings: [{ ...orphaned, endedAlone: false }] }],
    ["R20", "two redis-servers of one folder", { orphanings: [{ ...orphaned, livedBesideNext: true }] }],
    ["E02", "a notification that waits for ever", { notices: [{ ...notice(1, 5), state: "waiting" }] }],
    ["E02", "a notification that was sent and never arrived", { notices: [{ ...notice(1, 5), arrivedAt: undefined }] }],
    [
      "E02",
      "notifications that wait for the mail server",
      { trickles: [{ from: 0, to: 100 }], notices: [1, 2, 3, 4, 5].map((at) => notice(at, 4000)) },
    ],
    [
      "F09",
      "a time of another clock",
      { runs: [{ ...good, entries: good.entries.map((entry, at) => (at === 0 ? { ...entry, at: 5000 } : entry)) }] },
    ],
  ];
  it.each(broken)("finds by %s: %s", (name, _what, change) => {
    expect(violationsOf(name, change).length).toBe(1);
  });

  it("permits two names while Redis' clock was set, a notification that was given up, and what a store does once it is fit", () => {
    expect(violationsOf("P02", { ...clockSet(10), names: [held(1, 0, 50), held(2, 20, 90)] })).toEqual([]);
    expect(violationsOf("P02", { names: [held(1, 0, 20), held(2, 20, 90)] })).toEqual([]);
    expect(violationsOf("E02", { notices: [{ ...notice(1, 5), state: "gave_up", arrivedAt: undefined }] })).toEqual([]);
    expect(violationsOf("R16", { unfit: [unfit(0, 9), unfit(60, 90)] })).toEqual([]);
    expect(violationsOf("R16", { unfit: [unfit(0, 19)], arrivals: [arrival("one", 25)] })).toEqual([]);
    expect(violationsOf("R20", { orphanings: [orphaned, { ...orphaned, isBound: false, endedAlone: false }] })).toEqual([]);
  });

  it("counts no delay of other lanes in which Redis could not be written", () => {
    const notices = [1, 2, 3, 4, 5].map((at) => notice(at, 4000));
    const history = { trickles: [{ from: 0, to: 100 }], notices, outages: [{ from: 10, to: 3900 }] };
    expect(violationsOf("E02", history)).toEqual([]);
    expect(delaysBesideMails({ ...sound, ...history })).toEqual([109, 108, 107, 106, 105]);
  });

  it("permits an undo that finds its own value, one that a freeze permits, and one that a person has given up", () => {
    const undoneRun = { ...good, entries: [finished(50, 1, "undone")] };
    expect(violationsOf("I9", { writes: [set(1), undo(3)], runs: [undoneRun] })).toEqual([]);
    const left = { ...good, entries: [{ ...undone, note: "Left as it is by ann." }, finished(50, 1, "undone")] };
    expect(violationsOf("I9", { writes: [set(1), planted(2), undo(3, { found: "planted", applied: false })], runs: [left] })).toEqual([]);
    expect(violationsOf("G11", { runs: [run([undoIntent, undone])], killSwitches: [{ from: 50, to: 70, undo: true }] })).toEqual([]);
  });

  it("permits what people permit: an approval of exactly this plan, and a retry", () => {
    const runs = [run([asked("p"), answered(2, "approve"), intent("one", 10)])];
    expect(violationsOf("I6", { needsApproval: ["one"], runs })).toEqual([]);
    const arrivals = [arrival("one", 11, { effect: "once" }), arrival("one", 30, { effect: "once" })];
    expect(violationsOf("I2", { arrivals, runs: [run([intent("one", 10), answered(20, "retry"), intent("one", 29)])] })).toEqual([]);
  });

  it("does not count the intent of an attempt that is taken up again", () => {
    const again = Array.from({ length: 9 }, (_, index) => intent("one", 10 + index, index));
    expect(violationsOf("I8", { runs: [run(again)] })).toEqual([]);
  });

  it("flags a probed duplicate of a process that was frozen between intent and send, and no other", () => {
    const arrivals = [arrival("one", 900, { effect: "probed", pid: 2 }), arrival("one", 1010, { effect: "probed", pid: 1 })];
    const history = { ...sound, arrivals, runs: [run([intent("one", 10)])] };
    expect(duplicatesOf(arrivals).length).toBe(1);
    expect(residualsOf(history)).toEqual([]);
    expect(violationsOf("I2", history).length).toBe(1);
    const frozen = { ...history, freezes: [{ pid: 1, from: 11, to: 1000 }] };
    expect(residualsOf(frozen).length).toBe(1);
    expect(violationsOf("I2", frozen)).toEqual([]);
    // The same of a keyed effect is never excused.
    const keyed = { ...frozen, arrivals: arrivals.map((one) => ({ ...one, effect: "keyed" })) };
    expect(violationsOf("I2", keyed).length).toBe(1);
  });
});

it("measures a resume from the cut to the next claim, and from the end of an outage in between", () => {
  const entries = [claimed(100, 1, 7), intent("one", 110), claimed(900, 2, 8), completed("one", 910, 2)];
  expect(resumeTimes([run(entries)], [{ pid: 7, at: 200 }], [])).toEqual([700]);
  expect(resumeTimes([run(entries)], [{ pid: 7, at: 200 }], [{ from: 150, to: 700 }])).toEqual([200]);
  expect(resumeTimes([run(entries)], [{ pid: 9, at: 200 }], [])).toEqual([]);
});

describe("the verdict", () => {
  const counts = {
    faults: new Map([["SIGKILL", 40]] as const),
    notRun: new Map([["Redis' clock set back", "there is no cc"]] as const),
    fenced: 3,
    refused: 2,
    trickled: 0,
    resumes: [100, 900],
    seconds: 9,
  };

  it("is sound when every invariant holds, and says what was injected", () => {
    const verdict = judge([sound], counts);
    expect(verdict.violations).toEqual([]);
    expect(renderVerdict(verdict)).toMatch(
      /SIGKILL +40[\s\S]*Redis' clock set back +not run: there is no cc[\s\S]*p100 +900 ms[\s\S]*Every promise held/,
    );
  });

  it("fails for one violation, a slow resume, and faults that never met the fencing", () => {
    expect(judge([sound, { ...sound, runs: [] }], counts).isSound).toBe(false);
    expect(judge([sound], { ...counts, resumes: [9000] }).isSound).toBe(false);
    expect(judge([sound], { ...counts, fenced: 0 }).isSound).toBe(false);
  });
});

it("puts the machine's time for that of each process, also when its clock was set in between", () => {
  const offsets = parseOffsets("7 100 0\n8 150 -5000\n7 200 -1000\n");
  const entries = [claimed(110, 1, 7), intent("one", 190, 1), completed("one", -700, 1), claimed(-4600, 2, 8), intent("two", -4590, 2)];
  expect(withMachineTimes(entries, offsets).map(({ at }) => at)).toEqual([110, 190, 300, 400, 410]);
});

it("draws each kind of fault before it draws one again, and the same for the same seed", () => {
  const draw = () => {
    const next = createFaultSequence(createRandom(21), { leaseMs: 1000, quarantineMs: 500 });
    return Array.from({ length: faultKinds.length * 2 }, () => next());
  };
  const faults = draw();
  expect(new Set(faults.slice(0, faultKinds.length).map(({ kind }) => kind)).size).toBe(faultKinds.length);
  expect(draw()).toEqual(faults);
});
