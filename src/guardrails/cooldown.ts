import { sha256 } from "../core/json.ts";
import type { Verdict } from "../core/verdict.ts";

/** A run that wants to start. */
export interface CooldownCandidate {
  readonly runbookId: string;
  /** Absent when a person starts the run. */
  readonly fingerprint?: string;
  readonly target?: string;
  readonly cooldownMs: number;
}

const maxFactor = 8;

/** After a run the same runbook leaves the same target alone for a while; the while doubles with every episode of a day, up to eight times. */
export function cooldown(candidate: CooldownCandidate, facts: { readonly episodesInDay: number }): Verdict {
  const bucket = cooldownBucket(candidate);
  if (candidate.cooldownMs <= 0 || bucket === undefined) return { kind: "allow", claims: [] };
  return {
    kind: "allow",
    claims: [{ bucket, max: 1, windowMs: cooldownWindowMs(candidate.cooldownMs, facts.episodesInDay), amount: 1 }],
  };
}

/** The bucket that a start claims and that the end of a run fills again. A run without target and alert has none. */
export function cooldownBucket({ runbookId, fingerprint, target }: Omit<CooldownCandidate, "cooldownMs">): string | undefined {
  const what = target ?? fingerprint;
  return what === undefined ? undefined : `cooldown:${sha256(`${runbookId}|${what}`)}`;
}

/** 1, 2, 4, 8 times the cooldown for the first, second, third and every further episode of a day. */
export function cooldownWindowMs(cooldownMs: number, episodesInDay: number): number {
  return cooldownMs * Math.min(maxFactor, 2 ** Math.max(0, episodesInDay - 1));
}
