import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { Clock, Instant } from "../../core/clock.ts";
import { dayMs, hourMs } from "../../core/duration.ts";
import { ensureFailure } from "../../core/failure.ts";
import { sha256 } from "../../core/json.ts";
import type { Log } from "../../core/log.ts";
import type { AttackPorts } from "./actions/replay-attacks.ts";
import type { AttackReplay, ReplayOutcome } from "./attack-replay.ts";
import { carryOutReplay, type ReplayRequest } from "./carry-out-replay.ts";
import { describeReplay } from "./describe-replay.ts";

/** When a scheduled replay is due, after the last one of its feature. */
export interface AttackScheduleTimes {
  /** After a replay without a hit; a week in real life. */
  readonly quietMs: number;
  /** After a replay with one, so that the alert ends soon after the fix is deployed; a day in real life. */
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
  readonly times: AttackScheduleTimes;
  readonly clock: Pick<Clock, "now" | "sleep">;
  readonly log: Pick<Log, "info" | "warn">;
}

/** Replays each corpus that is due on what is deployed, one after the other. A replay that fails is logged, and is due again when its claim is over. */
export async function replayDueAttacks(deps: AttackPassDeps, signal: AbortSignal): Promise<void> {
  const { features, attackReplays, attackCorpora, times, clock, log } = deps;
  const last = new Map((await attackReplays.scheduled()).map((replay) => [replay.feature, replay]));
  for (const feature of features) {
    if (signal.aborted) return;
    if (feature.attacks === undefined || !isDue(last.get(feature.name), times, clock.now())) continue;
    const reading = await attackCorpora.read(feature.name);
    if (reading.kind !== "corpus") {
      const faults = reading.kind === "none" ? [] : reading.faults.slice(0, 3);
      log.warn({ feature: feature.name, faults }, "The feature has no corpus of attacks that can be replayed.");
      continue;
    }
    if (!(await attackReplays.claim(feature.name, times.claimMs))) continue;
    const at = clock.now();
    const id = `replay-${sha256(`${feature.name} ${at}`).slice(0, 24)}`;
    try {
      const request = { feature, corpus: reading.corpus, version: { kind: "deployed" }, tries, harmless: 0 } as const;
      const outcome = await untilDone(request, { ...deps, key: id, signal });
      await attackReplays.put({
        id,
        feature: feature.name,
        version: "deployed",
        begunBy: "schedule",
        at: clock.now(),
        corpus: reading.corpus.sha256,
        outcome,
      });
      log.info({ feature: feature.name, hits: outcome.hits, tries: outcome.tries }, describeReplay(outcome));
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ feature: feature.name, reason: ensureFailure(error).message }, "The recorded attacks could not be replayed.");
    }
  }

  function isDue(replay: AttackReplay | undefined, { quietMs, hitMs }: AttackScheduleTimes, now: Instant): boolean {
    return replay === undefined || now - replay.at >= (replay.outcome.hits > 0 ? hitMs : quietMs);
  }
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
