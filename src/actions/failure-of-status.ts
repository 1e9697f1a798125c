import type { Failure } from "../../packages/sdk/src/wire/failures.ts";

const notApplied = new Set([429, 503]);
const unknown = new Set([408, 409, 425]);

/**
 * What an unexpected status says about the effect.
 * 4xx was refused; 429 and 503 want patience; everything else (408, 409, 425, 5xx, a redirect, another 2xx) may have been applied.
 * `target` begins the sentence, "The target" unless said.
 */
export function failureOfStatus(
  status: number,
  context: { readonly read: boolean; readonly expected: string; readonly retryAfterMs?: number; readonly target?: string },
): Failure {
  const message = `${context.target ?? "The target"} answered ${status}; expected ${context.expected}.`;
  const later = context.retryAfterMs === undefined ? {} : { retryAfterMs: context.retryAfterMs };
  if (notApplied.has(status)) return { reason: "overloaded", message, applied: "no", ...later };
  if (context.read) return { reason: status >= 500 ? "not_reachable" : "refused_by_target", message, applied: "no", ...later };
  if (status >= 400 && status < 500 && !unknown.has(status)) return { reason: "refused_by_target", message, applied: "no" };
  return { reason: "unknown_outcome", message, applied: "unknown", ...later };
}
