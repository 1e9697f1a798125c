import type { ShapeReader } from "./usage-shape.ts";

/** `usage` of OpenAI's embeddings, which have no output. https://platform.openai.com/docs/api-reference/embeddings/create */
export const embeddings: ShapeReader = {
  shape: "embeddings",
  needs: ["prompt_tokens", "total_tokens"],
  read: (source) => ({ inputTotal: source.count("prompt_tokens"), output: 0, total: source.count("total_tokens") }),
};
