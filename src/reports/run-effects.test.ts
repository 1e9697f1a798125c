import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import { createJournal, type JournalInMaking } from "../../test/builders/create-journal.ts";
import { buildReview } from "./build-review.ts";
import { takeoversOf } from "./run-effects.ts";

const start = Date.UTC(2026, 0, 5);
const common = { runbookId: "x", runbookSha: "a".repeat(64), mode: "auto", source: "manual" } as const;

function aJournal(fill: (journal: JournalInMaking) => void): readonly JournalEntry[] {
  const journal = createJournal(start);
  journal.note(0, { kind: "accepted", runId: "run_1", request: { ...common, params: {} } });
  journal.note(1, { kind: "claimed", worker: "1:a" });
  fill(journal);
  return journal.entries;
}

function reviewOf(journal: readonly JournalEntry[]) {
  return buildReview({ summary: { id: "run_1", ...common, state: "ended", outcome: "aborted", acceptedAt: start }, journal });
}

const finished = { kind: "finished", outcome: "aborted", reason: "Stopped." } as const;
const notAnything = ["Nothing was changed.", "Nothing is left for people."];

describe("what a review says of effects", () => {
  it.each([
    ["run-command", "command/clean"],
    ["http-request", "https://gw.example/pools/a"],
    ["set-limits", "budget/a"],
  ])("counts an effect of %s, whose plan lists no change", (action, target) => {
    const journal = aJournal((it) => {
      it.step("one").intent(10, { action, summary: "Act", targets: [target], changes: [] });
      it.step("one").applied(10, {});
      it.note(1, finished);
    });
    const { inShort, facts } = reviewOf(journal);
    expect(inShort).not.toContain("Nothing was changed.");
    expect(facts.find(([name]) => name === "First effect")?.[1]).toContain("after it was accepted");
  });

  it("says that telling people changed nothing", () => {
    const journal = aJournal((it) => {
      it.step("one").intent(10, { action: "notify", summary: "Mail", targets: ["mail/default"], changes: [] });
      it.step("one").applied(10, {});
      it.note(1, finished);
    });
    expect(reviewOf(journal).inShort).toEqual(expect.arrayContaining(notAnything));
  });

  it("says of a run that ended in doubt what to look at, and that its step waits no more", () => {
    const journal = aJournal((it) => {
      it.step("one").intent(10, {
        action: "http-request",
        effect: "once",
        summary: "POST https://gw.example/drain",
        targets: ["https://gw.example/drain"],
        changes: [],
      });
      it.note(10, {
        kind: "failed",
        step: "one",
        attempt: 1,
        failure: { reason: "unknown_outcome", message: "The target answered 500.", applied: "unknown" },
      });
      const question = {
        id: "q",
        runId: "run_1",
        runbookId: "x",
        stepId: "one",
        kind: "in_doubt",
        text: "?",
        askedAt: start,
        role: "operator",
      } as const;
      it.note(1, { kind: "asked", question: { ...question, answers: ["happened", "retry", "abort"] } });
      it.note(1, finished);
    });
    const review = reviewOf(journal);
    for (const sentence of notAnything) expect(review.inShort).not.toContain(sentence);
    expect(review.inShort).toContain("It is not known whether this happened: POST https://gw.example/drain.");
    expect(review.remainingTasks).toEqual(["POST https://gw.example/drain may have happened: look at https://gw.example/drain."]);
    expect(review.steps[0]?.state).toBe("in doubt");
  });

  const act = fc.record({
    step: fc.constantFrom("one", "two", "three"),
    target: fc.constantFrom("command/a", "https://gw.example/x", "budget/a", "mail/default"),
    end: fc.constantFrom("applied", "failed no", "failed unknown", "nothing", "progressed"),
  });

  it("never says that nothing was changed when an effect ran or may have run", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 6 }), (acts) => {
        // One act for each step, so that the last word on a step is that of its act.
        const last = [...new Map(acts.map((one) => [one.step, one])).values()];
        const journal = aJournal((it) => {
          for (const { step, target, end } of last) {
            it.step(step).intent(5, { action: "x", summary: `Act on ${target}`, targets: [target], changes: [] });
            if (end === "applied") it.step(step).applied(5, {});
            if (end === "progressed") it.step(step).progressed(5, "goes on");
            if (end.startsWith("failed")) {
              const applied = end === "failed no" ? "no" : "unknown";
              it.note(5, { kind: "failed", step, attempt: 1, failure: { reason: "timeout", message: "?", applied } });
            }
          }
          it.note(1, finished);
        });
        const mayHave = last.filter(({ target, end }) => target !== "mail/default" && end !== "failed no");
        const { inShort, remainingTasks } = reviewOf(journal);
        expect(inShort.includes("Nothing was changed.")).toBe(mayHave.length === 0);
        for (const { target } of mayHave.filter(({ end }) => end !== "applied"))
          expect(remainingTasks).toContain(`Act on ${target} may have happened: look at ${target}.`);
      }),
    );
  });
});

describe("takeoversOf", () => {
  const question = {
    id: "q",
    runId: "run_1",
    runbookId: "x",
    stepId: "one",
    kind: "ask",
    text: "?",
    askedAt: start,
    role: "operator",
    answers: ["retry"],
  } as const;

  it("takes no resume after a pause, a question or a freeze for a take-over", () => {
    const journal = aJournal((it) => {
      it.note(1, { kind: "asked", question });
      it.note(1, { kind: "answered", questionId: "q", answer: { answer: "retry", by: "ann", reason: "", at: start } });
      it.note(1, { kind: "claimed", worker: "2:b" });
      it.note(1, { kind: "suspended", until: start, why: "waits" });
      it.note(1, { kind: "claimed", worker: "3:c" });
      it.note(1, { kind: "preflight", standing: "firing", detail: "" });
      it.note(1, { kind: "frozen", step: "one", scope: "all", by: "ada", reason: "x" });
      it.note(1, { kind: "claimed", worker: "4:d" });
      it.note(1, finished);
    });
    expect(takeoversOf(journal)).toBe(0);
    expect(reviewOf(journal).facts.map(([name]) => name)).not.toContain("Workers");
  });

  it("counts a claim of a run that its worker had not released", () => {
    const journal = aJournal((it) => {
      it.step("one").intent(1, { action: "x", summary: "Act", targets: ["command/a"], changes: [] });
      it.note(1, { kind: "claimed", worker: "2:b" });
      it.note(1, { kind: "claimed", worker: "3:c" });
      it.note(1, finished);
    });
    expect(takeoversOf(journal)).toBe(2);
    expect(reviewOf(journal).facts).toContainEqual(["Workers", "taken over 2 times: another worker went on where the run was"]);
  });
});
