import type { RunbookdClient } from "../../packages/sdk/src/client.ts";
import type { ModelReply } from "./model-client.ts";

/** What a reply says of one call: the part of a usage report that does not depend on whose call it was. `at` is UTC milliseconds. */
export function usageOfReply(reply: ModelReply, askedModel: string, at: number): UsageOfReply {
  const call = { id: reply.requestId, at, provider: "anthropic", latencyMs: reply.latencyMs };
  if (reply.kind === "error") return { ...call, model: askedModel, outcome: reply.outcome, error: reply.message.slice(0, 200) };
  return {
    ...call,
    model: reply.model,
    usage: reply.usage,
    shape: "anthropic-messages",
    outcome: reply.stopReason === "refusal" ? "refusal" : "ok",
    ...(reply.diagnostics !== undefined && { diagnostics: reply.diagnostics }),
  };
}

/** See {@link usageOfReply}. */
export type UsageOfReply = Pick<
  Parameters<RunbookdClient["reportUsage"]>[0],
  "id" | "at" | "provider" | "model" | "latencyMs" | "usage" | "shape" | "outcome" | "error" | "diagnostics"
>;
