import type { Evaluator } from "../llm/rollouts/evaluator.ts";

/** One evaluator of prompts and of models, each by what knows it. The ids of both are keys of steps, which are different. */
export function simulatedEvaluator(prompts: Evaluator, models: Evaluator): Evaluator {
  const ofModels = new Set<string>();
  const which = (id: string) => (ofModels.has(id) ? models : prompts);
  return {
    async start(request, key, signal) {
      if (request.subject.kind === "model") ofModels.add(key);
      return which(key).start(request, key, signal);
    },
    read: async (id, signal) => which(id).read(id, signal),
    stop: async (id, signal) => which(id).stop(id, signal),
  };
}
