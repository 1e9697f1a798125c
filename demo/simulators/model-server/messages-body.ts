import { z } from "zod";

const cacheControl = z.strictObject({ type: z.literal("ephemeral"), ttl: z.enum(["5m", "1h"]).optional() });

/** A breakpoint: everything up to and including its block may be written to the cache. */
export type CacheControl = z.infer<typeof cacheControl>;

const block = z.looseObject({ type: z.string(), text: z.string().optional(), cache_control: cacheControl.nullish() });
const tool = z.looseObject({
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
  input_schema: z.looseObject({}).optional(),
  cache_control: cacheControl.nullish(),
});

/** Fields that count_tokens and messages have in common. */
const prompt = z.object({
  model: z.string().min(1),
  messages: z
    .array(z.object({ role: z.enum(["user", "assistant"]), content: z.union([z.string(), z.array(block)]) }))
    .min(1, "at least one message is required"),
  system: z.union([z.string(), z.array(block)]).optional(),
  tools: z.array(tool).optional(),
  tool_choice: z.looseObject({ type: z.enum(["auto", "any", "tool", "none"]), name: z.string().optional() }).optional(),
  thinking: z.looseObject({ type: z.enum(["enabled", "disabled", "adaptive"]) }).optional(),
  cache_control: cacheControl.nullish(),
});

/** Body of `POST /v1/messages/count_tokens`. Unknown fields are ignored, as a server that is ahead of its client must. */
export const countTokensBody = prompt;

/** Body of `POST /v1/messages`. */
export const messagesBody = prompt.extend({
  max_tokens: z.int().min(0),
  stream: z.boolean().optional(),
  temperature: z.number().min(0).max(1).optional(),
  stop_sequences: z.array(z.string()).optional(),
  diagnostics: z.object({ previous_message_id: z.string().nullable() }).optional(),
  metadata: z.object({ user_id: z.string().nullish() }).optional(),
  service_tier: z.enum(["auto", "standard_only"]).optional(),
});

/** A prompt as either endpoint accepts it. */
export type PromptBody = z.infer<typeof countTokensBody>;

/** An accepted body of `POST /v1/messages`. */
export type MessagesBody = z.infer<typeof messagesBody>;

/** One block of content as it was sent. */
export type ContentBlock = z.infer<typeof block>;

/** The first fault of a body in the provider's form: path with dots, colon, sentence. */
export function describeIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "invalid request";
  const path = issue.path.join(".");
  const missing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  return `${path === "" ? "body" : path}: ${missing ? "Field required" : issue.message}`;
}
