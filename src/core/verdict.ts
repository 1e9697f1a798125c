import type { Instant } from "./clock.ts";

/**
 * A fact to be taken atomically together with an intent or an accept.
 * `lock` is held by a run until the run ends; `bucket` counts `amount` against `max` in a window of Redis time; `log` refuses nothing and keeps
 * `entry` in a list, the newest fifty, for `keepMs` after the last.
 */
export type Claim =
  | { readonly lock: string }
  | { readonly bucket: string; readonly max: number; readonly windowMs: number; readonly amount: number }
  | { readonly log: string; readonly entry: string; readonly retentionMs: number };

/** A guardrail's advice. Only a claim is a fact. */
export type Verdict =
  | { readonly kind: "allow"; readonly claims: readonly Claim[] }
  /** `group`: what asks for the same reason is put to people as one question. */
  | { readonly kind: "ask"; readonly guardrail: string; readonly reason: string; readonly group?: string }
  | { readonly kind: "refuse"; readonly guardrail: string; readonly reason: string; readonly retryAt?: Instant };
