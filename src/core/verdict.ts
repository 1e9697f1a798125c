import type { Instant } from "./clock.ts";

/**
 * A fact to be taken atomically together with an intent or an accept.
 * `lock` is held by a run until the run ends; `bucket` counts `amount` against `max` in a window of Redis time.
 */
export type Claim =
  | { readonly lock: string }
  | { readonly bucket: string; readonly max: number; readonly windowMs: number; readonly amount: number };

/** A guardrail's advice. Only a claim is a fact. */
export type Verdict =
  | { readonly kind: "allow"; readonly claims: readonly Claim[] }
  | { readonly kind: "ask"; readonly guardrail: string; readonly reason: string }
  | { readonly kind: "refuse"; readonly guardrail: string; readonly reason: string; readonly retryAt?: Instant };
