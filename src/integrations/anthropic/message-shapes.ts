import { z } from "zod";
import { jsonSchema } from "../../../packages/sdk/src/wire/json.ts";
import type { ItemErrorClass, ItemOutcome, ProviderBatchStatus, ProviderResult } from "../../llm/batches/provider/provider-batch.ts";
import { type ErrorWords, isOutOfMoney } from "../../llm/batches/provider/provider-trouble.ts";
import { readResultLine } from "../../llm/batches/provider/result-line.ts";
import { normalizeUsage } from "../../llm/usage/normalize-usage.ts";

/** A batch's id as it may stand in a path. */
export const batchId = z.string().regex(/^[\w-]{1,128}$/);

const count = z.int().min(0);
const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** A batch as the provider describes it. */
export const batchShape = z.object({
  id: batchId,
  processing_status: z.enum(["in_progress", "canceling", "ended"]),
  request_counts: z.object({ processing: count, succeeded: count, errored: count, canceled: count, expired: count }),
  created_at: instant,
  expires_at: instant,
  ended_at: instant.nullish().catch(undefined),
});

/** What is known of a batch of a list that cannot be read as a whole. */
export const listedBatch = z.object({ id: batchId, created_at: instant });

/** One page of batches, newest first, which are read one by one: in it are batches of everybody in the workspace. */
export const batchPage = z.object({ data: z.array(z.unknown()), has_more: z.boolean(), last_id: z.string().nullish() });

/** A batch in our words. Counts other than `processing` stay 0 until the end, so nothing is said of progress before. */
export function statusOf(batch: z.output<typeof batchShape>): ProviderBatchStatus {
  const { processing, succeeded, errored, canceled, expired } = batch.request_counts;
  const ended = succeeded + errored + canceled + expired;
  const states = { in_progress: "running", canceling: "cancelling", ended: "ended" } as const;
  return {
    id: batch.id,
    state: states[batch.processing_status],
    items: processing + ended,
    ...(batch.processing_status === "ended" && { endedItems: ended }),
    createdAt: batch.created_at,
    ...(typeof batch.ended_at === "number" && { endedAt: batch.ended_at }),
    expiresAt: batch.expires_at,
    faults: [],
  };
}

const errorShape = z.object({
  error: z.object({ type: z.string(), message: z.string().catch(""), details: z.object({ error_code: z.string() }).nullish().catch(null) }),
});

/** The words of an error body. */
export function wordsOf(body: unknown): ErrorWords & { readonly message: string } {
  const parsed = errorShape.safeParse(body);
  if (!parsed.success) return { type: "", code: "", message: "" };
  const { type, message, details } = parsed.data.error;
  return { type, code: details?.error_code ?? "", message };
}

const message = z.object({
  id: z.string().min(1).max(128),
  model: z.string().min(1).max(120),
  stop_reason: z.string().nullish(),
  usage: z.unknown().optional(),
});

const resultLine = z.object({
  custom_id: z.string(),
  result: z.discriminatedUnion("type", [
    z.object({ type: z.literal("succeeded"), message: jsonSchema }),
    z.object({ type: z.literal("errored"), error: z.unknown().optional() }),
    z.object({ type: z.literal("canceled") }),
    z.object({ type: z.literal("expired") }),
  ]),
});

/** One line of results; `line` counts from 1. */
export function readResult(text: string, line: number): ProviderResult {
  return readResultLine({ text, line }, resultLine, ({ custom_id: customId, result }) => {
    if (result.type === "errored") return { kind: "item", customId, outcome: erroredOf(wordsOf(result.error)) };
    if (result.type !== "succeeded") return { kind: "item", customId, outcome: { kind: result.type } };
    const parsedMessage = message.safeParse(result.message);
    if (!parsedMessage.success) return { kind: "unreadable", line, detail: "no message" };
    const { id, model, stop_reason, usage } = parsedMessage.data;
    const outcome: ItemOutcome = {
      kind: "succeeded",
      model,
      usage: normalizeUsage(usage, "anthropic", "anthropic-messages"),
      isRefusal: stop_reason === "refusal",
      answerId: id,
      answer: result.message,
    };
    return { kind: "item", customId, outcome };
  });
}

const classes: { readonly [type: string]: ItemErrorClass } = {
  rate_limit_error: "provider_rate_limit",
  overloaded_error: "provider_overload",
  api_error: "provider_error",
  timeout_error: "provider_error",
  invalid_request_error: "invalid_request",
  not_found_error: "invalid_request",
  request_too_large: "context_overflow",
  authentication_error: "permission",
  permission_error: "permission",
};

function erroredOf(words: ErrorWords & { readonly message: string }): ItemOutcome {
  return { kind: "errored", errorClass: classOf(words), message: `${words.type}: ${words.message}`.slice(0, 300) };
}

function classOf(words: ErrorWords & { readonly message: string }): ItemErrorClass {
  // Older batches tell an empty account and a long prompt by text only.
  if (isOutOfMoney(words) || /credit balance is too low/i.test(words.message)) return "provider_spend_limit";
  if (words.type === "invalid_request_error" && /prompt is too long|context window/i.test(words.message)) return "context_overflow";
  return (Object.hasOwn(classes, words.type) ? classes[words.type] : undefined) ?? "unknown";
}
