import type { Random } from "../../../src/core/random.ts";
import type { ApiError } from "./api-error.ts";

/** What goes wrong. */
export type FaultKind =
  /** 429 with retry-after: try later. */
  | { readonly kind: "rate_limited"; readonly retryAfterSeconds?: number }
  /** 429 with retry-after and the code of a too steep ramp. */
  | { readonly kind: "ramp_limited"; readonly retryAfterSeconds?: number }
  /** 429 that means "out of money": no retry helps. */
  | { readonly kind: "spend_limited" }
  | { readonly kind: "billing" }
  | { readonly kind: "overloaded" }
  | { readonly kind: "api_error" }
  | { readonly kind: "timeout" }
  /** The connection breaks after the request was received; the client cannot know whether it was billed. */
  | { readonly kind: "connection_reset" }
  /** Every latency times `factor`. */
  | { readonly kind: "slow"; readonly factor: number }
  /** The cache is best effort: a prefix that should be read is not. */
  | { readonly kind: "cache_miss" }
  /** Cache fields of usage are null instead of zero, as older answers have them. */
  | { readonly kind: "null_cache_fields" }
  /** The model declines: 200 with stop_reason `refusal`. */
  | { readonly kind: "refusal" };

/** A quirk to be switched on. */
export type Fault = FaultKind & {
  /** Only requests for this model. */
  readonly model?: string;
  /** Ends after so many hits; endless when absent. */
  readonly times?: number;
  /** Share of requests that it hits, 0..1; 1 when absent. */
  readonly ratio?: number;
};

/** The faults that are on. */
export interface FaultSet {
  inject(fault: Fault): Disposable;
  /** The faults that hit this request; counts them. */
  hit(model: string, random: Random): readonly Fault[];
}

/** An empty board. */
export function createFaultSet(): FaultSet {
  const active = new Set<{ readonly fault: Fault; remainingTimes: number }>();
  return {
    inject(fault) {
      const item = { fault, remainingTimes: fault.times ?? Number.POSITIVE_INFINITY };
      active.add(item);
      return { [Symbol.dispose]: () => void active.delete(item) };
    },
    hit(model, random) {
      const hits: Fault[] = [];
      for (const item of active) {
        if (item.fault.model !== undefined && item.fault.model !== model) continue;
        if (random() >= (item.fault.ratio ?? 1)) continue;
        item.remainingTimes -= 1;
        if (item.remainingTimes <= 0) active.delete(item);
        hits.push(item.fault);
      }
      return hits;
    },
  };
}

/** The error answer of a fault, or undefined when it answers otherwise. */
export function errorOf(fault: Fault): ApiError | undefined {
  const wait = "retryAfterSeconds" in fault && fault.retryAfterSeconds !== undefined ? fault.retryAfterSeconds : undefined;
  const errors: Partial<Record<FaultKind["kind"], ApiError>> = {
    rate_limited: {
      type: "rate_limit_error",
      message: "This request would exceed your organization's rate limit.",
      retryAfterSeconds: wait ?? 1,
    },
    ramp_limited: {
      type: "rate_limit_error",
      message: "Your usage has increased too quickly. Please ramp up more slowly.",
      code: "ramp_limit_exceeded",
      retryAfterSeconds: wait ?? 5,
    },
    spend_limited: {
      type: "rate_limit_error",
      message: "You have reached your specified API usage limits.",
      code: "enforced_spend_limit_reached",
    },
    billing: {
      type: "billing_error",
      message: "Your credit balance is too low to access the API.",
      code: "linked_organization_spend_limit_reached",
    },
    overloaded: { type: "overloaded_error", message: "Overloaded" },
    api_error: { type: "api_error", message: "Internal server error" },
    timeout: { type: "timeout_error", message: "Request timed out" },
  };
  return errors[fault.kind];
}
