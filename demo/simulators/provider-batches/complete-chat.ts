import { z } from "zod";
import { sha256 } from "../../../src/core/json.ts";
import type { Random } from "../../../src/core/random.ts";
import { generateResponse } from "../model-server/generate-response.ts";
import type { ServedModel } from "../model-server/model-catalogue.ts";
import type { EngineOutcome } from "./batch-engine.ts";

/** Published list prices in micro-USD per million tokens, and limits. https://platform.openai.com/docs/pricing */
const models: readonly ServedModel[] = [
  { id: "gpt-4.1", inputPerMillion: 2_000_000, outputPerMillion: 8_000_000, contextTokens: 1_047_576 },
  { id: "gpt-4.1-mini", inputPerMillion: 400_000, outputPerMillion: 1_600_000, contextTokens: 1_047_576 },
  { id: "gpt-4o-mini", inputPerMillion: 150_000, outputPerMillion: 600_000, contextTokens: 128_000 },
].map((model) => ({ ...model, minCacheableTokens: 1024, maxOutputTokens: 16_384, bytesPerToken: 4 }));

const chatBody = z.object({
  model: z.string(),
  messages: z.array(z.object({ role: z.enum(["system", "developer", "user", "assistant"]), content: z.string() })).min(1),
  max_completion_tokens: z.int().min(1).optional(),
  max_tokens: z.int().min(1).optional(),
  stream: z.literal(false).optional(),
});

/** An answer whose prompt was not read from a cache, which batches seldom are. */
export type ChatCompletion = ReturnType<typeof completionOf>;

/** Answers one body of `POST /v1/chat/completions` at the price of a batch. */
export function completeChat(body: unknown, random: Random, refuse: boolean): EngineOutcome<ChatCompletion> {
  const parsed = chatBody.safeParse(body);
  if (!parsed.success) return { kind: "errored", error: "invalid", message: parsed.error.issues[0]?.message ?? "invalid" };
  const { model: asked, messages } = parsed.data;
  const model = models.find(({ id }) => asked === id || asked.replace(/-\d{4}-\d{2}-\d{2}$/, "") === id);
  if (model === undefined) return { kind: "errored", error: "invalid", message: `The model ${asked} does not exist` };
  const max_tokens = parsed.data.max_completion_tokens ?? parsed.data.max_tokens ?? model.maxOutputTokens;
  const turns = messages.map(({ content }) => ({ role: "user" as const, content }));
  const generated = generateResponse({ model: asked, messages: turns, max_tokens }, model, random, { refuse });
  const promptTokens = messages.reduce((sum, { content }) => sum + 4 + Math.ceil(Buffer.byteLength(content) / model.bytesPerToken), 3);
  const answer = completionOf(`chatcmpl-${sha256(`${random()}${JSON.stringify(body)}`).slice(0, 24)}`, asked, generated, promptTokens);
  const costMicroUsd = (promptTokens * model.inputPerMillion + generated.outputTokens * model.outputPerMillion) / 1_000_000 / 2;
  return { kind: "answered", answer, model: asked, costMicroUsd };
}

function completionOf(id: string, model: string, generated: ReturnType<typeof generateResponse>, promptTokens: number) {
  const isRefusal = generated.stopReason === "refusal";
  const text = generated.content.map((block) => (block.type === "text" ? block.text : "")).join("");
  const message = { role: "assistant", content: isRefusal ? null : text, refusal: isRefusal ? "I cannot help with that." : null };
  return {
    id,
    object: "chat.completion",
    created: 0,
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: generated.stopReason === "max_tokens" ? "length" : "stop" }],
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: generated.outputTokens,
      total_tokens: promptTokens + generated.outputTokens,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
    },
    service_tier: "default",
  };
}
