import { bucketOf } from "../../packages/sdk/src/assignment.ts";
import type { Rollout, RolloutAssignment } from "../../packages/sdk/src/wire/rollouts.ts";
import type { Clock, Instant } from "../core/clock.ts";
import { minuteMs } from "../core/duration.ts";
import type { MicroUsd } from "../core/money.ts";
import { createRandom, hash32, type Random } from "../core/random.ts";
import type { RolloutStore } from "../llm/rollouts/rollout.ts";
import { createMemoryRollouts } from "./memory-rollouts.ts";

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

/** What begins, and the rollouts that are there from the beginning. */
interface TrafficWorld {
  readonly streams: readonly SimulatedStream[];
  readonly initial: readonly Rollout[];
}

/** No rehearsal needs more at once; a clock that jumps by days does not cost minutes. */
const maxAtOnce = 20_000;

/** Lets tickets begin and end in virtual time, always the same ones for the same name. */
export function createSimulatedTraffic(clock: Pick<Clock, "now">, { streams, initial }: TrafficWorld): SimulatedTraffic {
  // Tickets that are worked off late begin when they were due.
  let dueAt: Instant | undefined;
  const rollouts = createMemoryRollouts({ now: () => dueAt ?? clock.now() }, initial);
  const states = streams.map((stream) => ({ stream, random: createRandom(hash32(stream.name)), last: clock.now(), count: 0, due: 0 }));

  async function advance(): Promise<void> {
    const now = clock.now();
    for (const state of states) {
      const { stream, random, last } = state;
      state.last = now;
      if (now <= last) continue;
      const trial = await stream.trial();
      let remaining = maxAtOnce;
      for (let at = last; at < now && remaining > 0; at += minuteMs) {
        state.due += (stream.perMinute(at) * Math.min(minuteMs, now - at)) / minuteMs;
        const begin = Math.min(remaining, Math.floor(state.due));
        state.due -= Math.floor(state.due);
        remaining -= begin;
        for (let index = 0; index < begin; index += 1) {
          state.count += 1;
          if (trial?.rollout !== undefined)
            begun({ stream, random, ticketId: `${stream.name}-${state.count}` }, { ...trial, rollout: trial.rollout }, at);
        }
      }
    }
  }

  function begun(
    { stream, random, ticketId }: { readonly stream: SimulatedStream; readonly random: Random; readonly ticketId: string },
    { rollout, salt, share }: { readonly rollout: string; readonly salt: string; readonly share: number },
    at: Instant,
  ): void {
    const arm = bucketOf(salt, ticketId) < share ? "canary" : "baseline";
    const end = stream.end(arm, { at, random });
    if (end.kind === "lost") return;
    dueAt = at;
    rollouts.expose(ticketId, [{ rollout, arm, share }]);
    if (end.kind === "ended") {
      rollouts.spend(ticketId, end.costMicroUsd);
      rollouts.end(ticketId, end.succeeded ? "succeeded" : "failed");
    }
    dueAt = undefined;
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
