import { judgeCatastrophe } from "./failure-chance.ts";

/** Ended tickets that each arm needs before an interval means something. */
export const minPerArm = 30;

/** Outcomes so far of one arm; successes of `tickets`. */
export interface Arm {
  readonly tickets: number;
  readonly successes: number;
}

/** What is decided by. */
export interface SequentialPolicy {
  /** The candidate may be worse by less than this, 0 to 1. */
  readonly margin: number;
  /** Tickets of both arms for which the interval is made narrowest. */
  readonly planned: number;
  /** Tickets of both arms after which nothing is waited for. */
  readonly most: number;
  /** One-sided error on each side, over all looks together; 0.05 by default. */
  readonly alpha?: number;
  /** Fewest tickets of each arm; 30 by default. */
  readonly fewest?: number;
}

/**
 * `rollback`: shown to be worse, or a catastrophe among the first tickets. `hold` is what comes of `most` tickets without an answer: inconclusive is not success.
 */
export interface SequentialDecision {
  readonly decision: "promote" | "rollback" | "hold" | "continue";
  /** Candidate minus baseline, and the interval that holds at every look. */
  readonly difference: number;
  readonly halfWidth: number;
  readonly tickets: number;
}

/**
 * Decides on success ratios after any ticket: an asymptotic confidence sequence holds at all times at once, so looking often costs nothing.
 * I. Waudby-Smith et al., "Time-uniform central limit theory and asymptotic confidence sequences", Annals of Statistics 52 (2024), proposition 2.
 */
export function decideSequentially(
  candidate: Arm,
  baseline: Arm,
  { margin, planned, most, alpha = 0.05, fewest = minPerArm }: SequentialPolicy,
): SequentialDecision {
  const tickets = candidate.tickets + baseline.tickets;
  const difference = ratioOf(candidate) - ratioOf(baseline);
  const share = tickets === 0 ? 0 : candidate.tickets / tickets;
  const deviation = Math.sqrt(varianceOf(candidate) / share + varianceOf(baseline) / (1 - share));
  const halfWidth = deviation * sequenceFactor(tickets, planned, alpha);
  const facts = { difference, halfWidth, tickets };
  if (isCatastrophe(candidate, baseline, fewest)) return { decision: "rollback", ...facts };
  if (candidate.tickets < fewest || baseline.tickets < fewest) return { decision: tickets >= most ? "hold" : "continue", ...facts };
  if (difference + halfWidth < 0) return { decision: "rollback", ...facts };
  if (difference - halfWidth > -margin) return { decision: "promote", ...facts };
  return { decision: tickets >= most ? "hold" : "continue", ...facts };
}

/** Half width of the one-sided sequence after `n` observations of unit deviation, narrowest about `planned`. */
export function sequenceFactor(n: number, planned: number, alpha: number): number {
  if (n === 0) return Number.POSITIVE_INFINITY;
  const rho2 = (-2 * Math.log(alpha) + Math.log(-2 * Math.log(alpha) + 1)) / planned;
  const scaled = n * rho2 + 1;
  return Math.sqrt(((2 * scaled) / (n * n * rho2)) * Math.log(1 + Math.sqrt(scaled) / (2 * alpha)));
}

function isCatastrophe({ tickets, successes }: Arm, baseline: Arm, minTickets: number): boolean {
  if (baseline.tickets < minTickets) return false;
  const failing = 1 - (baseline.successes + 0.5) / (baseline.tickets + 1);
  return judgeCatastrophe([{ tickets, failing }], tickets - successes, minTickets).shown;
}

function ratioOf({ tickets, successes }: Arm): number {
  return tickets === 0 ? 0 : successes / tickets;
}

/** With half a success and half a failure more, so that an arm without a failure is not taken for certain. */
function varianceOf({ tickets, successes }: Arm): number {
  const ratio = (successes + 0.5) / (tickets + 1);
  return ratio * (1 - ratio);
}
