import { describe, expect, it } from "@jest/globals";
import type { JournalEntry } from "../core/journal.ts";
import { culpritOf, firstEffectAt, repeatedWork, stepsOf, verifiedAt } from "./journal-checks.ts";

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

  it("must not have two results of one effect", () => {
    expect(repeatedWork([intent("stop"), applied("stop"), applied("stop")])).toContain("two results");
  });
});

describe("a journal", () => {
  it("shows how far each step is", () => {
    const journal = [intent("stop"), applied("stop"), completed("stop"), intent("resume")];
    expect(stepsOf(journal).map(({ step, state }) => `${step} ${state}`)).toEqual(["stop done", "resume running"]);
  });

  it("names the culprit", () => {
    const output = { culprit: { prompt: "implement", operation: "plan" } };
    expect(culpritOf([intent("rank"), applied("rank", output)])).toMatchObject({ prompt: "implement", operation: "plan" });
    expect(culpritOf([intent("rank"), applied("rank", { culprit: null })])).toBeUndefined();
  });

  it("has its first effect where the first result of no read is", () => {
    const effect = applied("stop");
    expect(firstEffectAt([applied("look"), intent("stop"), effect])).toBe(effect.at);
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
