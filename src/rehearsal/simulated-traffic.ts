import { bucketOf } from "../../packages/sdk/src/assignment.ts";
import type { RolloutAssignment } from "../../packages/sdk/src/wire/rollouts.ts";
import type { Clock, Instant } from "../core/clock.ts";
import { minuteMs } from "../core/duration.ts";
import type { MicroUsd } from "../core/money.ts";
import { createRandom, hash32, type Random } from "../core/random.ts";
import type { RolloutStore } from "../llm/rollouts/rollout.ts";
import type { MemoryRollouts } from "./memory-rollouts.ts";

/** What becomes of one simulated ticket. `lost`: it is never seen. `hangs`: it never ends. */
export type SimulatedTicketEnd =
  | { readonly kind: "lost" }
  | { readonly kind: "hangs" }
  | { readonly kind: "ended"; readonly succeeded: boolean; readonly costMicroUsd: MicroUsd };

/** The tickets of one route or prompt. */
export interface SimulatedStream {
  /** Ids begin with it. */
  readonly name: string;
  /** What is on trial now. */
  trial(): Promise<{ readonly rollout?: string; readonly salt: string; readonly share: number } | undefined>;
  /** Tickets that begin per minute at this time. */
  perMinute(at: Instant): number;
  end(arm: RolloutAssignment["arm"], ticket: { readonly at: Instant; readonly random: Random }): SimulatedTicketEnd;
}

/** Traffic that is worked off whenever the clock has moved. */
export interface SimulatedTraffic {
  /** The store of rollouts; reading its counts works off the tickets that are due. */
  readonly store: RolloutStore;
  /** Works off what is due; to be called before a share changes. */
  advance(): Promise<void>;
}

/** No rehearsal needs more at once; a clock that jumps by days does not cost minutes. */
const maxAtOnce = 20_000;

/** Lets tickets begin and end in virtual time, always the same ones for the same name. */
export function createSimulatedTraffic(
  rollouts: MemoryRollouts,
  clock: Pick<Clock, "now">,
  streams: readonly SimulatedStream[],
): SimulatedTraffic {
  const states = streams.map((stream) => ({ stream, random: createRandom(hash32(stream.name)), last: clock.now(), count: 0, due: 0 }));

  async function advance(): Promise<void> {
    const now = clock.now();
    for (const state of states) {
      const { stream, random, last } = state;
      state.last = now;
      if (now <= last) continue;
      state.due += (stream.perMinute(now) * (now - last)) / minuteMs;
      const trial = await stream.trial();
      const begin = Math.min(maxAtOnce, Math.floor(state.due));
      state.due -= Math.floor(state.due);
      for (let index = 0; index < begin; index += 1) {
        state.count += 1;
        if (trial?.rollout === undefined) continue;
        const ticketId = `${stream.name}-${state.count}`;
        const arm = bucketOf(trial.salt, ticketId) < trial.share ? "canary" : "baseline";
        const end = stream.end(arm, { at: now, random });
        if (end.kind === "lost") continue;
        rollouts.expose(ticketId, [{ rollout: trial.rollout, arm, share: trial.share }]);
        if (end.kind === "hangs") continue;
        rollouts.spend(ticketId, end.costMicroUsd);
        rollouts.end(ticketId, end.succeeded ? "succeeded" : "failed");
      }
    }
  }

  return {
    advance,
    store: {
      ...rollouts,
      async strata(id) {
        await advance();
        return rollouts.strata(id);
      },
      async exposedSince(id, arm, since) {
        await advance();
        return rollouts.exposedSince(id, arm, since);
      },
      async failOverdue(id, now) {
        await advance();
        return rollouts.failOverdue(id, now);
      },
    },
  };
}
