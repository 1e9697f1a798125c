import type { Rollout, RolloutVerdict } from "../../../packages/sdk/src/wire/rollouts.ts";
import { formatDuration } from "../../core/duration.ts";
import { formatShare } from "../../core/share.ts";
import { shareAt } from "./rollout.ts";
import { minPerArm } from "./sequential-decision.ts";

/** Why a rollout moves or does not. */
export const rolloutReasons = [
  // advance and finish
  "begins",
  "shown",
  // roll_back
  "guard",
  "catastrophe",
  "quality_worse",
  "cost_dear",
  // hold
  "misassigned",
  "split_broken",
  "max_tickets",
  // stay; the first four become "ask" after six intervals
  "no_data",
  "stale",
  "guard_unseen",
  "cost_unknown",
  "waiting_time",
  "too_few",
  "not_shown",
  "held",
  "ended",
] as const;

/** See {@link rolloutReasons}. */
export type RolloutReason = (typeof rolloutReasons)[number];

/** Result of the plan's guards: queries that must return no series. `unseen`: one could not be answered. */
export type RolloutGuard = { readonly kind: "clear" } | { readonly kind: "broken" | "unseen"; readonly text: string };

/** What one check of a rollout knows. */
export interface RolloutFacts {
  /** UTC ms. */
  readonly now: number;
  readonly verdict: RolloutVerdict;
  /** Tickets of both arms that were exposed within the plan's last `intervalMs`. */
  readonly recentExposures: number;
  /** Tickets in an arm that the hash forbids. They are not part of the verdict. */
  readonly misassigned: number;
  readonly guard: RolloutGuard;
  /** The `blindSince` of the move before; absent at the first check, and once a person has said to wait. */
  readonly blindSince?: number | undefined;
  /** What a person accepted who let the rollout go on after a hold: only what came since then holds it again. */
  readonly accepted?: { readonly logEvalue: number; readonly misassigned: number } | undefined;
}

/**
 * What to do next. `ask`: a person decides whether to wait or to take the canary back. `hold` keeps the share as it is until a person says more. `detail` is a
 * sentence for people.
 */
export interface RolloutMove {
  readonly kind: "advance" | "stay" | "hold" | "roll_back" | "finish" | "ask";
  readonly reason: RolloutReason;
  readonly detail: string;
  /** Since when something that a decision needs is missing, UTC ms; absent while nothing is. */
  readonly blindSince?: number;
}

/** A rollout as far as a move depends on it. */
export type MovingRollout = Pick<Rollout, "plan" | "state" | "step" | "stepSince">;

/** A person is asked after this many intervals without what a decision needs. */
const maxBlindIntervals = 6;

/**
 * Decides one check of a rollout. Harm takes the canary back at once, in any state that has a share. A doubt about the counts themselves holds it. Forward only
 * in proportion to proof: the next share times the harm that is not excluded must be within the margin. What cannot be seen never goes forward.
 */
export function nextRolloutMove(rollout: MovingRollout, facts: RolloutFacts): RolloutMove {
  const { state, step } = rollout;
  if (state === "promoted" || state === "rolled_back" || state === "aborted") return stay("ended", "The rollout has ended.");
  if (state === "planned" || step < 0) return begin(rollout, facts);
  return (
    findHarm(rollout, facts) ??
    findDoubt(facts) ??
    (state === "holding" ? stay("held", "The rollout is on hold until a person lets it go on or takes the canary back.") : undefined) ??
    findBlindness(rollout, facts) ??
    growOrStay(rollout, facts)
  );
}

function begin({ plan }: MovingRollout, facts: RolloutFacts): RolloutMove {
  if (facts.guard.kind === "broken")
    return waitOrAsk(
      { reason: "guard", detail: `The rollout does not begin, because a guard is broken: ${facts.guard.text}.` },
      plan,
      facts,
    );
  if (facts.guard.kind === "unseen")
    return waitOrAsk(
      { reason: "guard_unseen", detail: `The rollout does not begin, because a guard cannot be checked: ${facts.guard.text}.` },
      plan,
      facts,
    );
  return { kind: "advance", reason: "begins", detail: `The canary gets its first ${formatShare(shareAt(plan, 0))} of the tickets.` };
}

function findHarm({ plan }: MovingRollout, { verdict, guard }: RolloutFacts): RolloutMove | undefined {
  const { canary, baseline, quality, cost, catastrophe } = verdict;
  if (guard.kind === "broken") return rollBack("guard", `A guard is broken: ${guard.text}.`);
  if (catastrophe.shown)
    return rollBack(
      "catastrophe",
      `Of the first ${canary.ended} canary tickets ${formatQuality(canary.quality)} succeeded, of the baseline's ${formatQuality(baseline.quality)}. An equal canary does so badly with a chance of ${formatChance(catastrophe.chance ?? 0)}.`,
    );
  if (quality?.shownWorse === true)
    return rollBack(
      "quality_worse",
      `The canary is shown to be worse: by ${points(-quality.difference)}, at least by ${points(-quality.difference - quality.halfWidth)} (${canary.ended} canary tickets with ${formatQuality(canary.quality)} success, ${baseline.ended} of the baseline with ${formatQuality(baseline.quality)}, compared within each step).`,
    );
  if (cost.kind === "compared" && cost.shownDear)
    return rollBack(
      "cost_dear",
      `A success costs ${formatRatio(cost.logRatio)} of the baseline's, at least ${formatRatio(cost.logRatio - cost.halfWidthDear)}; the limit is ${formatShare(plan.costLimit ?? 0)}.`,
    );
  return undefined;
}

function findDoubt({ verdict, misassigned, accepted = { logEvalue: 0, misassigned: 0 } }: RolloutFacts): RolloutMove | undefined {
  if (misassigned > accepted.misassigned)
    return {
      kind: "hold",
      reason: "misassigned",
      detail: `${misassigned} tickets say that they are the canary's, and the hash of salt and id says that they cannot be. Some process assigns tickets in another way.`,
    };
  if (isSplitBroken(verdict, accepted))
    return {
      kind: "hold",
      reason: "split_broken",
      detail: `The split of the tickets is not what the shares say: ${verdict.canary.exposed} canary and ${verdict.baseline.exposed} baseline tickets, chance ${formatChance(verdict.split.pValue)}. Tickets of one arm are lost, or a process ignores the share. A comparison means nothing until that is explained.`,
    };
  return undefined;
}

/** Whether the evidence against the split that came since a person accepted what there was then says that the split is broken. */
export function isSplitBroken(
  { split }: Pick<RolloutVerdict, "split">,
  accepted: Pick<NonNullable<RolloutFacts["accepted"]>, "logEvalue"> = { logEvalue: 0 },
): boolean {
  return split.broken && split.logEvalue - Math.max(0, accepted.logEvalue) > Math.log(1000);
}

function findBlindness(rollout: MovingRollout, facts: RolloutFacts): RolloutMove | undefined {
  const { plan } = rollout;
  const stage = stageOf(rollout, facts.verdict);
  if (stage.exposed === 0)
    return waitOrAsk(
      { reason: "no_data", detail: "No ticket has begun since this step began, so that nothing can be compared." },
      plan,
      facts,
    );
  if (facts.recentExposures === 0)
    return waitOrAsk(
      { reason: "stale", detail: `No new ticket has begun within ${formatDuration(plan.intervalMs)}: what was measured is old.` },
      plan,
      facts,
    );
  if (facts.guard.kind === "unseen")
    return waitOrAsk({ reason: "guard_unseen", detail: `A guard cannot be checked: ${facts.guard.text}.` }, plan, facts);
  return undefined;
}

function growOrStay(rollout: MovingRollout, facts: RolloutFacts): RolloutMove {
  const { plan, step, stepSince } = rollout;
  const { verdict, now } = facts;
  const isLast = step >= plan.steps.length - 1;
  if (now - stepSince < plan.intervalMs) return stay("waiting_time", `The step lasts at least ${formatDuration(plan.intervalMs)}.`);
  const { canaryEnded } = stageOf(rollout, verdict);
  if (canaryEnded < plan.minPerStep)
    return stay("too_few", `${canaryEnded} canary tickets have ended in this step; ${plan.minPerStep} are needed.`);
  if (!verdict.sufficient || verdict.quality === null)
    return stay(
      "too_few",
      `${verdict.canary.ended} canary and ${verdict.baseline.ended} baseline tickets have ended; ${minPerArm} of each are needed.`,
    );
  const share = isLast ? 1 : (plan.steps[step + 1] ?? 1);
  const atRisk = share * verdict.quality.harm;
  const arithmetic = `${formatShare(share)} of the tickets × ${points(verdict.quality.harm)} that it may still be worse = ${points(atRisk)}; the margin is ${points(plan.margin)}`;
  if (atRisk > plan.margin) {
    if (verdict.tickets >= plan.maxTickets)
      return {
        kind: "hold",
        reason: "max_tickets",
        detail: `${verdict.tickets} tickets have shown neither good nor bad: ${arithmetic}. A person decides.`,
      };
    return stay("not_shown", `Not shown yet: ${arithmetic}.`);
  }
  if (plan.costLimit !== null && verdict.cost.kind === "unknown")
    return waitOrAsk({ reason: "cost_unknown", detail: costSentences[verdict.cost.because] }, plan, facts);
  return isLast
    ? { kind: "finish", reason: "shown", detail: `Shown for all tickets: ${arithmetic}.` }
    : { kind: "advance", reason: "shown", detail: `On to ${formatShare(shareAt(plan, step + 1))}: ${arithmetic}.` };
}

const costSentences = {
  unpriced:
    "The cost of some tickets is unknown, because a model has no price or a ticket reported no usage. An unknown cost is not a low one.",
  too_few: "Too few tickets of both arms in one step have ended to compare their cost.",
  baseline_free: "The baseline's tickets cost nothing and the canary's do, so that there is no ratio.",
  no_success: "One arm has no success, so that there is no cost per success.",
} as const;

/** Tickets of the current step; its share may have been set more than once. */
function stageOf({ step }: MovingRollout, { strata }: RolloutVerdict): { readonly exposed: number; readonly canaryEnded: number } {
  const own = strata.filter((stratum) => stratum.step === step);
  return {
    exposed: own.reduce((sum, { canary, baseline }) => sum + canary.exposed + baseline.exposed, 0),
    canaryEnded: own.reduce((sum, { canary }) => sum + canary.ended, 0),
  };
}

function rollBack(reason: RolloutReason, detail: string): RolloutMove {
  return { kind: "roll_back", reason, detail };
}

function stay(reason: RolloutReason, detail: string): RolloutMove {
  return { kind: "stay", reason, detail };
}

/** Waits while what a decision needs cannot be seen, and then asks a person. */
function waitOrAsk(
  finding: Pick<RolloutMove, "reason" | "detail">,
  { intervalMs }: Pick<MovingRollout["plan"], "intervalMs">,
  { now, blindSince = now }: Pick<RolloutFacts, "now" | "blindSince">,
): RolloutMove {
  return { ...finding, kind: now - blindSince >= maxBlindIntervals * intervalMs ? "ask" : "stay", blindSince };
}

function points(difference: number): string {
  return `${(100 * difference).toFixed(1)} points`;
}

function formatQuality(quality: number | null): string {
  return quality === null ? "none" : formatShare(quality, { decimals: 1 });
}

function formatRatio(logRatio: number): string {
  return formatShare(Math.exp(logRatio));
}

function formatChance(chance: number): string {
  return chance < 1e-6 ? "less than one in a million" : `1 in ${Math.round(1 / chance)}`;
}
