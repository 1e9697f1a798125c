import { canonicalJson } from "../../../packages/sdk/src/wire/json.ts";
import type {
  Rollout,
  RolloutAssignment,
  RolloutDecision,
  RolloutPlan,
  RolloutStratum,
  RolloutSubject,
} from "../../../packages/sdk/src/wire/rollouts.ts";
import type { Instant } from "../../core/clock.ts";
import { dayMs } from "../../core/duration.ts";

/** Maximum number of rollouts that are live at once. */
export const maxLiveRollouts = 10;

/** Decisions that a rollout keeps. */
export const maxRolloutDecisions = 200;

/** How long a rollout and what it counted are kept after its end. */
export const rolloutRetentionMs = 30 * dayMs;

/** Tickets that a rollout counts; later ones are in no stratum. */
export const maxRolloutTickets = 200_000;

/** Tickets that one call of `failOverdue` ends. */
export const maxOverdueAtOnce = 1000;

/** The target that a rollout of this subject locks: two rollouts of one target cannot be live at once. */
export function rolloutTarget(subject: RolloutSubject): string {
  switch (subject.kind) {
    case "model":
      return `route/${subject.route}`;
    case "prompt":
      return `prompt/${subject.prompt}`;
    case "flag":
      return `flag/${subject.flag}`;
  }
}

/** Whether a rollout has a share, or may get one. */
export function isLive({ state }: Pick<Rollout, "state">): boolean {
  return state === "planned" || state === "running" || state === "holding";
}

/** The canary's share at a step: the last step leaves the holdback to the baseline. Step -1 is 0. */
export function shareAt({ steps, holdback }: Pick<RolloutPlan, "steps" | "holdback">, step: number): number {
  const share = step < 0 ? 0 : (steps[Math.min(step, steps.length - 1)] ?? 0);
  return Math.min(share, 1 - holdback);
}

/**
 * Whether each step gives the canary more than the one before. A holdback may make the last ones equal: tickets name the step of theirs by its share, so
 * that the later one would never count any.
 */
export function isGrowing(plan: Pick<RolloutPlan, "steps" | "holdback">): boolean {
  return plan.steps.every((_, step) => shareAt(plan, step) > shareAt(plan, step - 1));
}

/** A rollout that does not exist yet. */
export type NewRollout = Pick<Rollout, "id" | "subject" | "plan" | "salt" | "by" | "runId">;

/** What one change writes; absent members stay. A decision is appended. */
export interface RolloutChange {
  readonly id: string;
  /** The version that was read. */
  readonly expected: number;
  readonly set: Partial<Pick<Rollout, "state" | "step" | "stepSince" | "largestShare" | "plan" | "runId" | "endedAt" | "accepted">>;
  readonly decision?: RolloutDecision;
}

/** Reply to a change. `conflict`: the version was not the expected one, and nothing was written. */
export type RolloutChangeResult =
  | { readonly kind: "set"; readonly rollout: Rollout }
  | { readonly kind: "conflict"; readonly rollout: Rollout | undefined };

/** The rollout that a creation makes. */
export function firstVersion({ runId, ...rollout }: NewRollout, now: Instant): Rollout {
  const state = { state: "planned", step: -1, stepSince: now, largestShare: 0, decisions: [], version: 1, createdAt: now } as const;
  return { ...rollout, ...state, ...(runId === undefined ? {} : { runId }) };
}

/**
 * The rollout after a change, or undefined when it cannot be made: what has ended does not become live again. The largest share never shrinks and holds
 * that of the step.
 */
export function afterChange(present: Rollout, { set, decision }: RolloutChange, now: Instant): Rollout | undefined {
  const next = { ...present, ...set, version: present.version + 1 };
  if (!isLive(present) && isLive(next)) return undefined;
  const largestShare = Math.max(present.largestShare, set.largestShare ?? 0, isCounting(next) ? shareAt(next.plan, next.step) : 0);
  const decisions = decision === undefined ? present.decisions : [...present.decisions, decision].slice(-maxRolloutDecisions);
  return { ...next, largestShare, decisions, ...(isLive(next) ? {} : { endedAt: next.endedAt ?? now }) };
}

/** Whether a creation asks for the rollout that is there already. */
export function isSameRollout(a: Pick<Rollout, "subject" | "plan">, b: Pick<Rollout, "subject" | "plan">): boolean {
  return canonicalJson([a.subject, a.plan]) === canonicalJson([b.subject, b.plan]);
}

/** Whether tickets are counted now: a rollout that is only planned has no share, and one that has ended keeps what it counted. */
export function isCounting({ state }: Pick<Rollout, "state">): boolean {
  return state === "running" || state === "holding";
}

/** Live ones first, then by end, newest first. */
export function byEnd(a: Rollout, b: Rollout): number {
  return (
    (b.endedAt ?? Number.POSITIVE_INFINITY) - (a.endedAt ?? Number.POSITIVE_INFINITY) || b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1)
  );
}

/** Reply to a creation. `exists`: the same id, subject and plan again; `taken`: the id has another rollout; `busy`: another live rollout has the target. */
export type RolloutCreation =
  | { readonly kind: "created" | "exists"; readonly rollout: Rollout }
  | { readonly kind: "busy" | "taken"; readonly rollout: Rollout }
  | { readonly kind: "too_many" };

/** What became of a late judgement. */
export type QualityRevision =
  | { readonly kind: "revised" | "unchanged"; readonly rollouts: number }
  | { readonly kind: "unknown_ticket" | "too_late" | "not_ended" };

/**
 * Where rollouts and their counts are kept, until 30 days after the end of each. Tickets are counted by their admission, their usage and their release,
 * under the step whose share their assignment names, so a step is recorded here before its share is given out. Every member is atomic and rejects with StoreUnavailable when the store does not answer. */
export interface RolloutStore {
  create(rollout: NewRollout): Promise<RolloutCreation>;
  read(id: string): Promise<Rollout | undefined>;
  /** Live ones first, then by end, newest first. */
  list(): Promise<readonly Rollout[]>;
  /** The live rollout of a target. */
  liveOf(target: string): Promise<Rollout | undefined>;
  /** Compare-and-set on the version. A `conflict` also when it would make an ended rollout live again. */
  change(change: RolloutChange): Promise<RolloutChangeResult>;
  /** Both arms of every step that has counted a ticket, by step. */
  strata(id: string): Promise<readonly RolloutStratum[]>;
  /** Tickets that an application assigned to an arm that the hash forbids. */
  misassigned(id: string): Promise<number>;
  /** Tickets of an arm that were exposed at or after `since`, whether or not they have ended; counts at least the last hour. */
  exposedSince(id: string, arm: RolloutAssignment["arm"], since: number): Promise<number>;
  /** Counts tickets as failed whose exposure is older than the plan's deadline; returns how many. At most 1,000 at once. */
  failOverdue(id: string, now: number): Promise<number>;
  /** Revises the quality of an ended ticket in every rollout that counted it. */
  reviseQuality(revision: { readonly ticketId: string; readonly quality: number }): Promise<QualityRevision>;
}
