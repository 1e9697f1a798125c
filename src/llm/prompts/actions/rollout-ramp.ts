import { formatShare } from "../../../core/share.ts";

/** Where a canary stands. Stage −1: nobody has it yet. */
export interface PromptRolloutState {
  readonly stage: number;
  /** Since when this stage holds, UTC ms. */
  readonly since: number;
}

/** What one look shows. */
export interface PromptRolloutFacts {
  readonly now: number;
  readonly lastStep: number;
  /** Of the canary since this stage began; undefined: nothing was seen of it. */
  readonly candidate: { readonly tickets: number; readonly hit: number } | undefined;
  readonly baselineHit: number | undefined;
  /** Upper end of the interval of cost per request, canary to baseline. */
  readonly costRatioUpper: number | undefined;
  /** A query that must stay empty and does not, or that could not be asked. */
  readonly harm: { readonly kind: "none" } | { readonly kind: "harmed" | "unseen"; readonly text: string };
}

/** When to go on. */
export interface PromptRolloutRules {
  readonly everyMs: number;
  readonly minTickets: number;
  readonly predictedHit: number;
}

/** What to do and why. */
export interface PromptRolloutMove {
  readonly kind: "advance" | "stay" | "finish" | "take_back" | "ask";
  readonly why: string;
}

/** The canary must reach this part of what was predicted, and no more than 80 % is ever asked. */
const reached = 0.9;
const sufficientHit = 0.8;
/** Reading less than the baseline by this much is harm. */
const worse = 0.05;
/** A stage that lasts so many of its times without a verdict is a person's. */
const maxPeriodsPerStep = 6;

/** The hit ratio that counts as success. */
export function neededHit(predictedHit: number): number {
  return Math.min(sufficientHit, reached * predictedHit);
}

/**
 * Decides one look at a canary. Forward only when a stage has lasted its time, enough tickets were seen, it is not dearer, and nothing that must not get worse
 * has; the last stage also needs the predicted hit ratio. Harm takes it back at once. What cannot be seen never goes forward.
 */
export function nextPromptRolloutMove(state: PromptRolloutState, facts: PromptRolloutFacts, rules: PromptRolloutRules): PromptRolloutMove {
  const { candidate, baselineHit, costRatioUpper, harm, now } = facts;
  if (harm.kind === "harmed") return { kind: "take_back", why: harm.text };
  if (state.stage < 0) return harm.kind === "unseen" ? stayOrAsk(harm.text) : { kind: "advance", why: "it begins" };
  const elapsedMs = now - state.since;
  if (candidate === undefined || candidate.tickets < rules.minTickets)
    return stayOrAsk(`${candidate?.tickets ?? 0} of ${rules.minTickets} tickets were seen`);
  if (baselineHit !== undefined && candidate.hit < baselineHit - worse)
    return {
      kind: "take_back",
      why: `it reads ${formatShare(candidate.hit, { decimals: 1 })}, the version before ${formatShare(baselineHit, { decimals: 1 })}`,
    };
  if (harm.kind === "unseen") return stayOrAsk(harm.text);
  if (elapsedMs < rules.everyMs)
    return { kind: "stay", why: `the stage lasts until its time is over; it reads ${formatShare(candidate.hit, { decimals: 1 })}` };
  if (costRatioUpper === undefined || costRatioUpper >= 1)
    return stayOrAsk(`it is not proven to be cheaper (ratio up to ${costRatioUpper?.toFixed(2) ?? "unknown"})`);
  if (state.stage < facts.lastStep)
    return { kind: "advance", why: `it reads ${formatShare(candidate.hit, { decimals: 1 })} and is cheaper` };
  const needed = neededHit(rules.predictedHit);
  if (candidate.hit >= needed)
    return {
      kind: "finish",
      why: `it reads ${formatShare(candidate.hit, { decimals: 1 })}; ${formatShare(needed, { decimals: 1 })} was needed`,
    };
  return stayOrAsk(`it reads ${formatShare(candidate.hit, { decimals: 1 })}; ${formatShare(needed, { decimals: 1 })} is needed`);

  function stayOrAsk(why: string): PromptRolloutMove {
    return { kind: now - state.since >= maxPeriodsPerStep * rules.everyMs ? "ask" : "stay", why };
  }
}
