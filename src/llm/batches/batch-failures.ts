import type { Ticket } from "../../../packages/sdk/src/wire/tickets.ts";

/** What becomes of a ticket that was not successful: handed in again, kept as a dead letter, shown to a person, or a matter of money. */
export const failureHandlings = ["again", "dead_letter", "person", "cost_incident"] as const;

/** See {@link failureHandlings}. */
export type FailureHandling = (typeof failureHandlings)[number];

/** A class of failure and what is done about it. */
export interface BatchFailure {
  readonly class: string;
  readonly handling: FailureHandling;
}

/**
 * Ordered: the first that fits holds. A provider's spend limit comes as a 429 and is none of rate; what expired was never worked on; a request that
 * the provider called invalid is invalid the next time too. Words of Anthropic's and OpenAI's errors and of our own gate.
 */
const rules: readonly (readonly [pattern: RegExp, failureClass: string, handling: FailureHandling])[] = [
  [/credit balance|spend(?:ing)?[ _-]?limit|insufficient_quota|billing/i, "provider_spend_limit", "cost_incident"],
  [/refusal|refused to answer|content[ _]policy/i, "refusal", "person"],
  [/\bexpired\b/i, "expired", "again"],
  [/rate[ _-]?limit|too many requests|\b429\b/i, "provider_rate_limit", "again"],
  [/overloaded|\b529\b|\b503\b/i, "provider_overload", "again"],
  [/api_error|server_error|internal server error|\b50[0234]\b|timed? ?out|connection/i, "provider_error", "again"],
  [/worker_lost/, "worker_lost", "again"],
  [/context|prompt is too long|max_tokens/i, "context_overflow", "dead_letter"],
  [/invalid[ _]request|\b400\b|\b422\b/i, "invalid_request", "dead_letter"],
];

/** Sorts a ticket that ended without success. What no rule knows is a person's. */
export function classifyFailure(ticket: Pick<Ticket, "state" | "reason">): BatchFailure {
  if (ticket.state === "cancelled") return { class: "cancelled", handling: "dead_letter" };
  const rule = rules.find(([pattern]) => pattern.test(ticket.reason));
  return rule === undefined ? { class: "unknown", handling: "person" } : { class: rule[1], handling: rule[2] };
}
