import type { RunbookdClient } from "../../packages/sdk/src/client.ts";
import type { ModelResponse } from "./model-client.ts";

/** What a reply says of one call: the part of a usage report that does not depend on whose call it was. `at` is UTC milliseconds. */
export function usageOfResponse(response: ModelResponse, askedModel: string, at: number): UsageOfResponse {
  const call = { id: response.requestId, at, provider: "anthropic", latencyMs: response.latencyMs };
  if (response.kind === "error") return { ...call, model: askedModel, outcome: response.outcome, error: response.message.slice(0, 200) };
  return {
    ...call,
    model: response.model,
    usage: response.usage,
    shape: "anthropic-messages",
    outcome: response.stopReason === "refusal" ? "refusal" : "ok",
    ...(response.diagnostics !== undefined && { diagnostics: response.diagnostics }),
  };
}

/** See {@link usageOfResponse}. */
export type UsageOfResponse = Pick<
  Parameters<RunbookdClient["reportUsage"]>[0],
  "id" | "at" | "provider" | "model" | "latencyMs" | "usage" | "shape" | "outcome" | "error" | "diagnostics"
>;
