import { errorField } from "../../../core/error-field.ts";
import { retryAfterMs } from "../../../core/retry-after.ts";
import { ProviderFailure, type ProviderTrouble } from "./provider-batch.ts";

/** What a call changes at the provider: a read may be repeated, a change may have happened although no answer came. */
export type CallKind = "read" | "change";

/** The words of an error that decide what it means: `type` and `code` of the provider's body. */
export interface ErrorWords {
  readonly type: string;
  readonly code: string;
}

/** A call that failed. */
export interface FailedCall {
  /** By OTel's name. */
  readonly provider: string;
  readonly kind: CallKind;
  /** What the provider answered; empty words when it said nothing. */
  readonly words: ErrorWords;
}

/** Words that mean "out of money", whatever the status. */
const moneyWords = new Set([
  "enforced_spend_limit_reached",
  "contract_spend_limit_reached",
  "linked_organization_spend_limit_reached",
  "billing_error",
  "insufficient_quota",
  "billing_hard_limit_reached",
]);

/** Errors of the network that come before a request is sent. */
const neverSent = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT", "EHOSTUNREACH", "ENETUNREACH"]);

/** Whether the words of an error mean that the money is gone. */
export function isOutOfMoney({ type, code }: ErrorWords): boolean {
  return moneyWords.has(code) || moneyWords.has(type);
}

/**
 * The failure that an exception of an SDK stands for. Structural, because both SDKs throw alike: `status`, `headers` and the parsed body. Only the
 * provider's own words go into the message; its sentences may repeat what it was sent.
 */
export function failureOf(error: unknown, { provider, kind, words }: FailedCall, now: number): ProviderFailure {
  if (error instanceof ProviderFailure) return error;
  const status = errorField(error, "status");
  if (typeof status !== "number") {
    const isUnknown = kind === "change" && !neverSent.has(networkCode(error));
    return isUnknown
      ? new ProviderFailure("unknown_outcome", `${provider}: the connection broke before the answer; it may have been done`)
      : new ProviderFailure("unavailable", `${provider} cannot be reached${networkCode(error) === "" ? "" : ` (${networkCode(error)})`}`);
  }
  const headers = errorField(error, "headers");
  const header = headers instanceof Headers ? (headers.get("retry-after") ?? undefined) : undefined;
  const details = [words.type, words.code].filter((word) => /^[\w.-]{1,60}$/.test(word)).join(", ");
  return new ProviderFailure(
    troubleOf(status, kind, words),
    `${provider} answered ${status}${details === "" ? "" : ` (${details})`}`,
    retryAfterMs(header, now),
  );
}

function troubleOf(status: number, kind: CallKind, words: ErrorWords): ProviderTrouble {
  if (status === 402 || isOutOfMoney(words)) return "spend_limited";
  if (status === 429) return "rate_limited";
  if (status === 401 || status === 403) return "unauthorised";
  if (status === 404) return "missing";
  if (status === 529 || status === 503) return "unavailable";
  if (status >= 500 || status === 408) return kind === "change" ? "unknown_outcome" : "unavailable";
  return "invalid";
}

/** The code of the innermost cause; fetch wraps it several times. */
function networkCode(error: unknown): string {
  for (let at = error, depth = 0; at !== undefined && at !== null && depth < 5; at = errorField(at, "cause"), depth += 1) {
    const code = errorField(at, "code");
    if (typeof code === "string" && code !== "") return code;
  }
  return "";
}
