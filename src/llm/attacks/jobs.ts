import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { Clock, Instant } from "../../core/clock.ts";
import { dayMs, hourMs } from "../../core/duration.ts";
import { ensureFailure } from "../../core/failure.ts";
import type { Feature } from "../../core/feature.ts";
import { sha256 } from "../../core/json.ts";
import type { Log } from "../../core/log.ts";
import type { FindingIntake } from "../findings/finding-intake.ts";
import { maxSeriousFindings, type SecurityFindingStore } from "../findings/security-finding-store.ts";
import type { AttackPorts } from "./actions/replay-attacks.ts";
import type { AttackCorpus } from "./attack.ts";
import type { AttackReplay, ReplayOutcome } from "./attack-replay.ts";
import { carryOutReplay, type ReplayRequest } from "./carry-out-replay.ts";
import { describeReplay } from "./describe-replay.ts";
import { attackReplaySource, findingsOfReplay, maxReplayFindings } from "./replay-findings.ts";

/** When a scheduled replay is due, after the last one of its feature. */
export interface AttackScheduleTimes {
  /** After a replay without a hit; a week in real life. */
  readonly quietMs: number;
  /** After a replay with one on the same commit; a day in real life. Another commit is attacked at once, so that alert and findings end soon. */
  readonly hitMs: number;
  /** After a replay was begun that came to no result, and within which no other one is begun; two hours in real life. */
  readonly claimMs: number;
}

/** See {@link AttackScheduleTimes}. */
export const attackScheduleTimes: AttackScheduleTimes = { quietMs: 7 * dayMs, hitMs: dayMs, claimMs: 2 * hourMs };

/** Tries of a scheduled replay: without a hit they bound the rate of success by 4.87 %. */
const tries = 60;

/** What scheduled replays need. */
export interface AttackPassDeps extends AttackPorts {
  /** The commit that every process of a feature runs now; undefined: that is not certain. */
  readonly deployedCommit: (feature: Feature, signal: AbortSignal) => Promise<string | undefined>;
  readonly securityFindings: Pick<SecurityFindingStore, "list">;
  readonly findingIntake: FindingIntake;
  readonly times: AttackScheduleTimes;
  readonly clock: Pick<Clock, "now" | "sleep">;
  readonly log: Pick<Log, "info" | "warn">;
}

/**
 * Replays each corpus that is due on what is deployed, one after the other, and reports what it says of the findings of the feature. A replay that fails is
 * logged, and is due again when its claim is over.
 */
export async function replayDueAttacks(deps: AttackPassDeps, signal: AbortSignal): Promise<void> {
  const { features, attackReplays, attackCorpora, times, clock, log } = deps;
  const last = new Map((await attackReplays.scheduled()).map((replay) => [replay.feature, replay]));
  for (const feature of features) {
    if (signal.aborted) return;
    if (feature.attacks === undefined) continue;
    const due = await dueNameOf(feature, last.get(feature.name));
    if (due === undefined) continue;
    const reading = await attackCorpora.read(feature.name);
    if (reading.kind !== "corpus") {
      const faults = reading.kind === "none" ? [] : reading.faults.slice(0, 3);
      log.warn({ feature: feature.name, faults }, "The feature has no corpus of attacks that can be replayed.");
      continue;
    }
    if (!(await attackReplays.claim(due, times.claimMs))) continue;
    const id = `replay-${sha256(`${feature.name} ${clock.now()}`).slice(0, 24)}`;
    try {
      const request = { feature, corpus: reading.corpus, version: { kind: "deployed" }, tries, harmless: 0 } as const;
      const outcome = await untilDone(request, { ...deps, key: id, signal });
      const replay: AttackReplay = {
        id,
        feature: feature.name,
        version: "deployed",
        begunBy: "schedule",
        at: clock.now(),
        corpus: reading.corpus.sha256,
        outcome,
      };
      // The findings first: a replay that is kept is not due again, and one that is repeated says the same of them.
      await reportFindings(deps, { feature, corpus: reading.corpus, replay });
      await attackReplays.put(replay);
      log.info({ feature: feature.name, hits: outcome.hits, tries: outcome.tries }, describeReplay(outcome));
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ feature: feature.name, reason: ensureFailure(error).message }, "The recorded attacks could not be replayed.");
    }
  }

  /** What the replay that is due is claimed by; undefined: none is. */
  async function dueNameOf(feature: Feature, replay: AttackReplay | undefined): Promise<string | undefined> {
    if (isDue(replay, times, clock.now())) return feature.name;
    if (replay === undefined || replay.outcome.hits === 0) return undefined;
    const sha = await deps.deployedCommit(feature, signal).catch(() => undefined);
    return sha === undefined || sha === replay.outcome.sha ? undefined : `${feature.name} ${sha}`;
  }
}

function isDue(replay: AttackReplay | undefined, { quietMs, hitMs }: AttackScheduleTimes, now: Instant): boolean {
  return replay === undefined || now - replay.at >= (replay.outcome.hits > 0 ? hitMs : quietMs);
}

async function reportFindings(
  { securityFindings, findingIntake, log }: AttackPassDeps,
  replayed: { readonly feature: Feature; readonly corpus: AttackCorpus; readonly replay: AttackReplay },
): Promise<void> {
  const feature = replayed.feature.name;
  const open = await securityFindings.list({ source: attackReplaySource, feature, state: "open" }, maxSeriousFindings);
  const results = await findingIntake.take(findingsOfReplay({ ...replayed, open }));
  const refused = results.flatMap((result) => (result.kind === "refused" ? [result.reason] : []));
  if (refused.length > 0) log.warn({ feature, reason: refused[0] }, "A finding of a replay was not kept.");
  const worked = replayed.replay.outcome.attacks.filter(({ hits }) => hits > 0).length;
  if (worked > maxReplayFindings)
    log.warn({ feature, worked, reported: maxReplayFindings }, "More recorded attacks work than have a finding of their own.");
}

/** How a replay is waited for. */
export interface AwaitedReplay extends Pick<AttackPorts, "attackRunner"> {
  readonly key: string;
  readonly clock: Pick<Clock, "sleep">;
  readonly signal: AbortSignal;
}

/** Carries out a replay to its end, within this process. Rejects with StepFailure. */
export async function untilDone(request: ReplayRequest, { attackRunner, key, clock, signal }: AwaitedReplay): Promise<ReplayOutcome> {
  let progress: Json | undefined;
  for (;;) {
    const work = await carryOutReplay(request, { key, progress, signal }, attackRunner);
    if (work.kind === "done") return work.result;
    progress = work.progress;
    await clock.sleep(work.afterMs, signal);
  }
}
