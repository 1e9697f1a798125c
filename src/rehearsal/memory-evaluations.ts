import type { Evaluation, EvaluationStore } from "../llm/rollouts/evaluation.ts";

/** Evaluations in memory, for rehearsals and tests. */
export function createMemoryEvaluations(): EvaluationStore {
  const evaluations = new Map<string, Evaluation>();
  return {
    async put(evaluation) {
      if (!evaluations.has(evaluation.id)) evaluations.set(evaluation.id, evaluation);
    },
    read: async (id) => evaluations.get(id),
  };
}
