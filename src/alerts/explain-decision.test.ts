import { describe, expect, it } from "@jest/globals";
import { decisionKinds } from "../../packages/sdk/src/wire/alerts.ts";
import { guardrailNames } from "../guardrails/evaluate-guardrails.ts";
import { type DecisionToExplain, explainDecision } from "./explain-decision.ts";

const about = { fingerprint: "f1", runbook: "cost", alertName: "Burn" } as const;
const startsNothing = new Set(["joined", "stale", "unmatched", "refused", "paused", "unreadable"]);
const isSentence = (text: string | undefined) => text !== undefined && /^[A-Z`][^\n]*\.$/.test(text) && !/undefined|\.\./.test(text);

describe("a sentence about a decision", () => {
  it.each(
    decisionKinds.flatMap((decision) => [
      { ...about, decision },
      { fingerprint: "", decision },
    ]),
  )("says why, and what would change it where nothing began: %j", (decision) => {
    const { why, remedy } = explainDecision(decision);
    expect(isSentence(why)).toBe(true);
    expect(remedy === undefined || isSentence(remedy)).toBe(true);
    expect(remedy !== undefined).toBe(startsNothing.has(decision.decision));
  });

  it.each(guardrailNames)("says what would change a refusal of the guardrail %s, and until when it lasts", (guardrail) => {
    const refused: DecisionToExplain = { ...about, decision: "refused", guardrail };
    const { why, remedy } = explainDecision(refused);
    expect([isSentence(why), isSentence(remedy)]).toEqual([true, true]);
    const timed = explainDecision({ ...refused, retryAt: Date.UTC(2026, 10, 23, 6, 30) });
    expect([isSentence(timed.why), isSentence(timed.remedy)]).toEqual([true, true]);
    expect(`${timed.why} ${timed.remedy}`).toContain("2026-11-23 06:30:00 UTC");
  });

  it.each<[DecisionToExplain, string, string]>([
    [{ ...about, decision: "joined", runId: "run_1" }, "Run run_1 of runbook cost already deals with", "after run run_1 has ended"],
    [{ ...about, decision: "unmatched" }, "No runbook has a trigger", "Add a trigger for Burn"],
    [
      { ...about, decision: "refused", guardrail: "cooldown", reason: "cooldown:8f is taken.", retryAt: Date.UTC(2026, 10, 23, 6, 30) },
      "Runbook cost has dealt with this target recently, and its cooldown lasts until 2026-11-23 06:30:00 UTC.",
      "if the alert still fires",
    ],
    [
      { ...about, decision: "refused", reason: "budget: alert.labels.budget is missing." },
      "`budget`: alert.labels.budget is missing.",
      "Add the label",
    ],
    [
      { ...about, decision: "paused", reason: "Frozen (all) by ann: the provider is down" },
      "by ann: the provider is down.",
      "runbookd unfreeze",
    ],
  ])("%j names what it is about", (decision, why, remedy) => {
    const explanation = explainDecision(decision);
    expect(explanation.why).toContain(why);
    expect(explanation.remedy).toContain(remedy);
    expect(explanation.why).not.toContain("8f");
  });

  it("is one line whatever others wrote", () => {
    const { why } = explainDecision({ ...about, decision: "unreadable", reason: "labels:\n\u001b[2J\u202eexpected an object" });
    expect(why).toBe("The alert cannot be read. `labels`: [2J expected an object.");
  });
});
