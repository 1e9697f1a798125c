import { describe, expect, it } from "@jest/globals";
import type { JournalEntry } from "../packages/sdk/src/wire/journal.ts";
import { causeOf, culpritOf, effectsBefore, firstEffectAt, messageIdsOf, repeatedWork, stepsOf, verifiedAt } from "./journal-checks.ts";

let clock = 0;
const plan = { summary: "", targets: [], changes: [], reversible: true, data: null };
const intent = (step: string, key = step, effect: "read" | "set" = "set"): JournalEntry => ({
  kind: "intent",
  at: (clock += 1),
  step,
  action: "a",
  effect,
  attempt: 1,
  group: 1,
  idempotencyKey: key,
  plan,
  planSha: "",
});
const applied = (step: string, output = {}): JournalEntry => ({ kind: "applied", at: (clock += 1), step, attempt: 1, output });
const completed = (step: string): JournalEntry => ({ kind: "completed", at: (clock += 1), step });

describe("a journal after a crash", () => {
  it("may attempt an effect again whose result was not written", () => {
    expect(repeatedWork([intent("stop"), intent("stop"), applied("stop"), completed("stop")])).toBeUndefined();
  });

  it("must not begin a complete step again", () => {
    expect(repeatedWork([intent("stop"), applied("stop"), completed("stop"), intent("stop")])).toContain("was complete and began again");
  });

  it("must not attempt an effect again whose result was written", () => {
    expect(repeatedWork([intent("stop"), applied("stop"), intent("stop")])).toContain("had its result");
  });

  it("may look at one effect again, and try a failed one again", () => {
    expect(repeatedWork([intent("stop"), applied("stop"), applied("stop"), completed("stop")])).toBeUndefined();
    const failure = { reason: "expectation_false", message: "", applied: "no" } as const;
    const failed: JournalEntry = { kind: "failed", at: (clock += 1), step: "stop", attempt: 1, failure };
    expect(repeatedWork([intent("stop"), applied("stop"), failed, intent("stop"), applied("stop")])).toBeUndefined();
  });
});

describe("a journal", () => {
  it("shows how far each step is", () => {
    const journal = [intent("stop"), applied("stop"), completed("stop"), intent("resume")];
    expect(stepsOf(journal).map(({ step, state }) => `${step} ${state}`)).toEqual(["stop done", "resume running"]);
  });

  it("names the mails that its steps promised", () => {
    expect(messageIdsOf([applied("report", { message_id: "<a@b>" }), applied("look", { message_id: 1 })])).toEqual(["a@b"]);
  });

  it("names the culprit", () => {
    const output = { culprit: { prompt: "implement", operation: "plan" } };
    expect(culpritOf([intent("rank"), applied("rank", output)])).toMatchObject({ prompt: "implement", operation: "plan" });
    expect(culpritOf([intent("rank"), applied("rank", { culprit: null })])).toBeUndefined();
  });

  it("names the cause and the controls that follow, when usage told them", () => {
    const output = {
      segment: { prompt: "implement" },
      factor: "attempts_per_ticket",
      factor_share: 0.9,
      coincides: [{ ref: "release 1.5.0", score: 0.5 }],
      controls: { scale: 1, max_attempts: 1, because: "It fits." },
    };
    expect(causeOf([intent("rank"), applied("look", { factor: "price" }), applied("rank", output)])).toEqual({
      segment: { prompt: "implement" },
      factor: "attempts_per_ticket",
      share: 0.9,
      coincides: "release 1.5.0",
      controls: { scale: 1, maxAttempts: 1, because: "It fits." },
    });
    expect(causeOf([intent("rank"), applied("look", { factor: "price" })])).toBeUndefined();
  });

  it("has its first effect where the first result of no read is", () => {
    const effect = applied("stop");
    expect(firstEffectAt([applied("look"), intent("stop"), effect])).toBe(effect.at);
  });

  it("has one effect per step that changes something, however often it was attempted", () => {
    const change = { target: "budget/b", field: "gate", before: "open", after: "paused" };
    const changing = (step: string) => ({ ...intent(step), plan: { ...plan, changes: [change] } });
    const journal = [changing("stop"), changing("stop"), intent("look", "look", "read"), intent("nothing"), changing("limit")];
    expect(effectsBefore(journal, Number.POSITIVE_INFINITY, "ramp")).toBe(2);
    expect(effectsBefore(journal, Number.POSITIVE_INFINITY, "a")).toBe(0);
    expect(effectsBefore(journal, journal[0]?.at ?? 0, "ramp")).toBe(0);
  });

  it("is verified when the last look at every verification is true", () => {
    const check = (index: number, truth: "true" | "false"): JournalEntry => ({
      kind: "checked",
      at: (clock += 1),
      subject: { kind: "verification", index },
      truth,
      detail: "",
    });
    const earlier = [check(0, "false"), check(0, "true")];
    const last = check(1, "true");
    expect(verifiedAt([...earlier, last])).toBe(last.at);
    expect(verifiedAt([check(0, "true"), check(1, "false")])).toBeUndefined();
    expect(verifiedAt([])).toBeUndefined();
  });
});
