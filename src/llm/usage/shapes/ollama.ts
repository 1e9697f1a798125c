import type { ShapeReader } from "./usage-shape.ts";

/** The counts of Ollama's answers; the others of the object are times. https://github.com/ollama/ollama/blob/main/docs/api.md */
export const ollama: ShapeReader = {
  shape: "ollama",
  needs: ["prompt_eval_count", "eval_count"],
  vendors: ["ollama", "other"],
  read(source) {
    source.skip("total_duration", "load_duration", "prompt_eval_duration", "eval_duration", "done", "done_reason", "created_at", "model");
    // The client hands out the counts beside the text; the context is tokens of that text.
    source.skip("message", "response", "thinking", "context", "logprobs", "remote_model", "remote_host");
    return { uncached: source.count("prompt_eval_count"), output: source.count("eval_count") ?? 0 };
  },
};
