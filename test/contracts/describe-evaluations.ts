import { describe, expect, it } from "@jest/globals";
import type { Evaluation, EvaluationStore } from "../../src/llm/rollouts/evaluation.ts";

/** An evaluation of two models in which the candidate did as well for half the money. */
export function anEvaluation(change: Partial<Evaluation> = {}): Evaluation {
  const ticketIds = Array.from({ length: 100 }, (_, nth) => `T-${nth}`);
  return {
    id: "evaluation-1",
    subject: {
      kind: "model",
      route: "implement",
      from: { provider: "anthropic", model: "old" },
      to: { provider: "anthropic", model: "new" },
    },
    at: 5,
    ticketIds,
    outcome: {
      kind: "pairs",
      pairs: ticketIds.map((ticketId) => ({
        ticketId,
        baseline: { quality: 1, costMicroUsd: 100 },
        candidate: { quality: 1, costMicroUsd: 50 },
      })),
    },
    ...change,
  };
}

/** The specification of every store of evaluations. */
export function describeEvaluations(name: string, open: () => Promise<EvaluationStore>): void {
  describe(`${name} as a store of evaluations`, () => {
    it("keeps each under its id, whole, and the first that was written", async () => {
      const store = await open();
      expect(await store.read("evaluation-1")).toBeUndefined();
      await store.put(anEvaluation());
      await store.put(anEvaluation({ outcome: { kind: "person", answer: "pass" } }));
      await store.put(anEvaluation({ id: "evaluation-2", outcome: { kind: "capped", pairs: 3, costMicroUsd: 7 } }));
      expect(await store.read("evaluation-1")).toEqual(anEvaluation());
      expect(await store.read("evaluation-2")).toMatchObject({ outcome: { kind: "capped", pairs: 3 } });
    });
  });
}
