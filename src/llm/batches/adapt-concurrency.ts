import type { Instant } from "../../core/clock.ts";

/** How a batch's concurrency has been adapted so far. */
export interface ConcurrencyState {
  /** Tickets at once now. */
  readonly limit: number;
  /** Since when no look met too many 429s, nor was the limit raised. */
  readonly cleanSince: Instant;
  /** When it was last halved; absent when never. */
  readonly halvedAt?: Instant;
}

/** Requests since the last look that counted. */
export interface RequestView {
  readonly requests: number;
  readonly rateLimited: number;
  /** When they were counted. */
  readonly now: Instant;
}

/** Times that a demo divides. */
export interface ConcurrencyRules {
  /** What was configured; the limit never rises above it. */
  readonly maxConcurrency: number;
  /** How long it must be clean before one more is let in: 5 min. */
  readonly cleanMs: number;
  /** How long a cut takes to show; no second cut is made before that: 1 min. */
  readonly settleMs: number;
}

/** What the look came to. `wait`: too few requests to tell; the next look sees these too. */
export interface ConcurrencyMove {
  readonly kind: "halve" | "raise" | "stay" | "wait";
  readonly state: ConcurrencyState;
  /** For people. */
  readonly why: string;
}

/** Above this share of 429s the provider is asked too much. */
const tooManyRefused = 0.05;
/** Fewer requests say nothing about a share of 5 %. */
const minRequests = 20;

/**
 * Additive increase, multiplicative decrease (Chiu and Jain, 1989): halve when more than one request in twenty was refused for its rate, one more per
 * clean five minutes. What refuses every other request is noticed before twenty have been made.
 */
export function adaptConcurrency(state: ConcurrencyState, requestCounts: RequestView, rules: ConcurrencyRules): ConcurrencyMove {
  const { limit } = state;
  const { now } = requestCounts;
  const few = requestCounts.requests < minRequests;
  const refused = requestCounts.requests > 0 && requestCounts.rateLimited / requestCounts.requests > tooManyRefused;
  const share = `${requestCounts.rateLimited} of ${requestCounts.requests} requests were answered with 429`;
  if (refused && (!few || requestCounts.rateLimited >= 3)) {
    if (state.halvedAt !== undefined && now - state.halvedAt < rules.settleMs) {
      return { kind: "stay", state: { ...state, cleanSince: now }, why: `${share}; the last cut has not shown yet` };
    }
    const half = Math.max(1, Math.floor(limit / 2));
    if (half === limit) return { kind: "stay", state: { ...state, cleanSince: now }, why: `${share}; one at once is the least` };
    return { kind: "halve", state: { limit: half, cleanSince: now, halvedAt: now }, why: `${share}; ${half} at once instead of ${limit}` };
  }
  if (few && requestCounts.rateLimited > 0) return { kind: "wait", state, why: `${share}; too few to tell` };
  if (limit < rules.maxConcurrency && now - state.cleanSince >= rules.cleanMs) {
    return {
      kind: "raise",
      state: { ...state, limit: limit + 1, cleanSince: now },
      why: `clean for long enough; ${limit + 1} at once instead of ${limit}`,
    };
  }
  // A lower limit that was configured since then applies at once.
  if (limit > rules.maxConcurrency)
    return { kind: "stay", state: { ...state, limit: rules.maxConcurrency }, why: "the configured limit is lower" };
  return { kind: "stay", state, why: share };
}
