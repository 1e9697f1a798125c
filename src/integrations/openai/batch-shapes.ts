import { z } from "zod";
import { jsonSchema } from "../../../packages/sdk/src/wire/json.ts";
import type { ItemErrorClass, ItemOutcome, ProviderBatchStatus, ProviderResult } from "../../llm/batches/provider/provider-batch.ts";
import { type ErrorWords, isOutOfMoney } from "../../llm/batches/provider/provider-trouble.ts";
import { readResultLine } from "../../llm/batches/provider/result-line.ts";
import { normalizeUsage } from "../../llm/usage/normalize-usage.ts";

/** An id of a batch or a file as it may stand in a path. */
export const objectId = z.string().regex(/^[\w-]{1,128}$/);

const count = z.int().min(0);
/** What decides nothing costs no batch when it is odd: it counts as absent. */
const instant = z.int().min(0).nullish().catch(undefined);

/** Absent is written as null, or as an empty text. */
const fileId = z.preprocess((id) => (id === "" ? null : id), objectId.nullish());

/** A batch as the provider describes it; times are Unix seconds. */
export const batchShape = z.object({
  id: objectId,
  status: z.enum(["validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"]),
  request_counts: z.object({ total: count, completed: count, failed: count }).nullish().catch(undefined),
  output_file_id: fileId,
  error_file_id: fileId,
  errors: z
    .object({ data: z.array(z.unknown()).nullish() })
    .nullish()
    .catch(undefined),
  created_at: z.int().min(0),
  expires_at: instant,
  completed_at: instant,
  expired_at: instant,
  cancelled_at: instant,
  failed_at: instant,
});

/** What tells one batch of a list from another. In a list are batches of everybody in the organization, of every kind. */
export const listedBatch = z.object({
  id: objectId,
  created_at: z.number().optional().catch(undefined),
  metadata: z.record(z.string(), z.unknown()).nullish().catch(undefined),
});

/** See {@link batchShape}. */
export type OpenAiBatch = z.output<typeof batchShape>;

const states = {
  validating: "validating",
  failed: "failed",
  in_progress: "running",
  finalizing: "running",
  completed: "ended",
  expired: "ended",
  cancelling: "cancelling",
  cancelled: "ended",
} as const;

/** A batch in our words. */
export function statusOf(batch: OpenAiBatch): ProviderBatchStatus {
  const { total = 0, completed = 0, failed = 0 } = batch.request_counts ?? {};
  const endedAt = batch.completed_at ?? batch.expired_at ?? batch.cancelled_at ?? batch.failed_at;
  return {
    id: batch.id,
    state: states[batch.status],
    items: total,
    ...(total > 0 && { endedItems: completed + failed }),
    createdAt: batch.created_at * 1000,
    ...(typeof endedAt === "number" && { endedAt: endedAt * 1000 }),
    ...(typeof batch.expires_at === "number" && { expiresAt: batch.expires_at * 1000 }),
    faults: (batch.errors?.data ?? []).map(faultOf).map(({ code, message, line }) => ({
      code: (code ?? "unknown").slice(0, 60),
      message: (message ?? "").slice(0, 300),
      ...(typeof line === "number" && line > 0 && { line }),
    })),
    ...(batch.status === "expired" && { unnamed: "expired" }),
    ...(batch.status === "cancelled" && { unnamed: "canceled" }),
  };
}

/** Each is read separately: one that cannot be read still counts as an error, and must not hide the others. */
const batchErrorShape = z.object({
  code: z.string().nullish().catch(undefined),
  message: z.string().nullish().catch(undefined),
  line: z.int().nullish().catch(undefined),
});

function faultOf(error: unknown): z.output<typeof batchErrorShape> {
  return batchErrorShape.safeParse(error).data ?? { message: JSON.stringify(error) };
}

const errorShape = z.object({ type: z.string().nullish(), code: z.string().nullish(), message: z.string().nullish() });

/** The words of an error object. */
export function wordsOf(error: unknown): ErrorWords & { readonly message: string } {
  const parsed = errorShape.safeParse(error);
  return { type: parsed.data?.type ?? "", code: parsed.data?.code ?? "", message: parsed.data?.message ?? "" };
}

const resultLine = z.object({
  custom_id: z.string(),
  response: z.object({ status_code: z.int(), body: jsonSchema }).nullish(),
  error: z.unknown().optional(),
});

const completion = z.object({
  id: z.string().min(1).max(128),
  model: z.string().min(1).max(120),
  choices: z.array(z.unknown()).min(1),
  usage: z.unknown().optional(),
});

/** One line of an output or an error file; `line` counts from 1. */
export function readResult(text: string, line: number): ProviderResult {
  return readResultLine({ text, line }, resultLine, ({ custom_id: customId, response, error }) => {
    if (response === null || response === undefined) return { kind: "item", customId, outcome: withoutResponse(wordsOf(error)) };
    if (response.status_code !== 200) {
      const body = z.object({ error: z.unknown() }).safeParse(response.body);
      return { kind: "item", customId, outcome: erroredOf(response.status_code, wordsOf(body.data?.error)) };
    }
    const parsedCompletion = completion.safeParse(response.body);
    if (!parsedCompletion.success) return { kind: "unreadable", line, detail: "no chat completion" };
    const { id, model, choices, usage } = parsedCompletion.data;
    const outcome: ItemOutcome = {
      kind: "succeeded",
      model,
      usage: normalizeUsage(usage, "openai", "openai-chat"),
      isRefusal: choices.some(isRefused),
      answerId: id,
      answer: response.body,
    };
    return { kind: "item", customId, outcome };
  });
}

const choice = z.object({
  finish_reason: z.string().nullish().catch(undefined),
  message: z
    .object({ refusal: z.string().nullish().catch(undefined) })
    .nullish()
    .catch(undefined),
});

/** A choice that cannot be read says nothing of a refusal; the answer was paid for and is kept as it came. */
function isRefused(item: unknown): boolean {
  const read = choice.safeParse(item).data;
  return read?.finish_reason === "content_filter" || typeof read?.message?.refusal === "string";
}

function withoutResponse(words: ErrorWords & { readonly message: string }): ItemOutcome {
  if (words.code === "batch_expired") return { kind: "expired" };
  if (words.code === "batch_cancelled") return { kind: "canceled" };
  return erroredOf(0, words);
}

function erroredOf(status: number, words: ErrorWords & { readonly message: string }): ItemOutcome {
  const name = words.code === "" ? words.type : words.code;
  return { kind: "errored", errorClass: classOf(status, words), message: `${status} ${name}: ${words.message}`.slice(0, 300) };
}

function classOf(status: number, words: ErrorWords): ItemErrorClass {
  if (isOutOfMoney(words)) return "provider_spend_limit";
  if (words.code === "context_length_exceeded") return "context_overflow";
  if (status === 429) return "provider_rate_limit";
  if (status === 503) return "provider_overload";
  if (status >= 500) return "provider_error";
  if (status === 401 || status === 403) return "permission";
  return status >= 400 ? "invalid_request" : "unknown";
}
