import type { Rollout, RolloutVerdict } from "../../../packages/sdk/src/wire/rollouts.ts";
import { checkGuards } from "./check-guards.ts";
import { decisionOf, rollBack } from "./end-rollout.ts";
import { isProven } from "./find-urgent-move.ts";
import { nextRolloutMove, type RolloutFacts, type RolloutGuard, type RolloutMove } from "./next-rollout-move.ts";
import { readRolloutFacts } from "./read-rollout-facts.ts";
import { isLive, shareAt } from "./rollout.ts";
import { type RolloutPorts, readRollout, shareRequestOf } from "./rollout-ports.ts";

/** Who polls, and what else must hold. */
export interface RolloutPoll {
  readonly id: string;
  /** E.g. `run:01J…`. */
  readonly by: string;
  /** UTC ms. */
  readonly now: number;
  readonly signal: AbortSignal;
  /** No step with a larger share is entered; 1 for all of them. */
  readonly until: number;
  /** What the poll before found; see `RolloutFacts`. */
  readonly memory: Pick<RolloutFacts, "blindSince">;
  /** What must hold besides the plan, e.g. what a prompt reads from the cache. `unseen` also says that it does not hold yet. */
  readonly criterion?: RolloutGuard;
}

/** What one poll found and did. */
export interface RolloutPolled {
  readonly rollout: Rollout;
  readonly verdict: RolloutVerdict;
  /** What the plan says; `reached` replaces an advance beyond `until`. */
  readonly move:
    | RolloutMove
    | { readonly kind: "reached" | "ended"; readonly reason: string; readonly detail: string; readonly blindSince?: number };
}

/**
 * Reads a rollout, decides, and does what was decided. The record is written before the share: a process that dies between both leaves a share that is too
 * small, and the next poll sets it. Every poll sets the share of the present step again, so that it survives a lost write.
 */
export async function pollRollout(ports: RolloutPorts, poll: RolloutPoll): Promise<RolloutPolled> {
  const rollout = await takeOver(ports, await readRollout(ports.rolloutStore, poll.id), poll);
  const facts = await readFacts(ports, rollout, poll);
  const { verdict } = facts;
  if (rollout.state !== "planned" && rollout.state !== "running" && rollout.state !== "holding")
    return {
      rollout,
      verdict,
      move: { kind: "ended", reason: rollout.state, detail: rollout.decisions.at(-1)?.detail ?? `the rollout is ${rollout.state}` },
    };
  const move = asOwnHold(rollout, nextRolloutMove(rollout, facts), poll);
  const cause = { by: poll.by, now: poll.now, reason: move.reason, detail: move.detail };
  switch (move.kind) {
    case "roll_back":
      return { rollout: await rollBack(ports, rollout, cause), verdict, move };
    case "advance": {
      const step = rollout.step + 1;
      const nominal = rollout.plan.steps[step] ?? 1;
      if (nominal > poll.until) {
        await setShare(ports, rollout, poll);
        return { rollout, verdict, move: { kind: "reached", reason: move.reason, detail: move.detail } };
      }
      const share = shareAt(rollout.plan, step);
      const set = { state: "running", step, stepSince: poll.now, largestShare: Math.max(rollout.largestShare, share) } as const;
      const decision = { ...decisionOf(rollout, "advance", cause), step, share };
      const result = await ports.rolloutStore.change({ id: rollout.id, expected: rollout.version, set, decision });
      if (result.kind === "set") {
        await setShare(ports, result.rollout, poll);
        return { rollout: result.rollout, verdict, move };
      }
      return {
        rollout: result.rollout ?? rollout,
        verdict,
        move: { kind: "stay", reason: "held", detail: "the rollout was changed while it was judged" },
      };
    }
    case "hold": {
      await setShare(ports, rollout, poll);
      if (rollout.state === "holding") return { rollout, verdict, move };
      const held = await ports.rolloutStore.change({
        id: rollout.id,
        expected: rollout.version,
        set: { state: "holding" },
        decision: decisionOf(rollout, "hold", cause),
      });
      return { rollout: held.rollout ?? rollout, verdict, move };
    }
    case "finish": {
      await setShare(ports, rollout, poll);
      if (isProven(rollout)) return { rollout, verdict, move };
      const finished = await ports.rolloutStore.change({
        id: rollout.id,
        expected: rollout.version,
        set: {},
        decision: decisionOf(rollout, "finish", cause),
      });
      return { rollout: finished.rollout ?? rollout, verdict, move };
    }
    case "stay":
    case "ask":
      await setShare(ports, rollout, poll);
      return { rollout, verdict, move };
  }
}

const runPrefix = "run:";

/** Enters the run that polls as the one that drives the rollout, so that its end is noticed. */
async function takeOver({ rolloutStore }: RolloutPorts, rollout: Rollout, { by }: RolloutPoll): Promise<Rollout> {
  const runId = by.startsWith(runPrefix) ? by.slice(runPrefix.length) : undefined;
  if (runId === undefined || rollout.runId === runId || !isLive(rollout)) return rollout;
  const result = await rolloutStore.change({ id: rollout.id, expected: rollout.version, set: { runId } });
  return result.rollout ?? rollout;
}

/** A hold that this run wrote and did not ask about yet, because its process died between both, is a hold again. */
function asOwnHold(rollout: Rollout, move: RolloutMove, { by }: RolloutPoll): RolloutMove {
  const last = rollout.decisions.at(-1);
  return move.reason === "held" && last?.decision === "hold" && last.by === by
    ? { kind: "hold", reason: "held", detail: last.detail }
    : move;
}

/** Sets the share of the present step. A rollout that a person took back since it was read gets none. */
async function setShare({ rolloutStore, shareControls }: RolloutPorts, rollout: Rollout, { by }: RolloutPoll): Promise<void> {
  if (rollout.step < 0) return;
  const control = shareControls[rollout.subject.kind];
  const request = shareRequestOf(rollout, by);
  await control?.set(request, shareAt(rollout.plan, rollout.step));
  const present = await rolloutStore.read(rollout.id);
  if (present?.state === "rolled_back" || present?.state === "aborted") await control?.rollBack(request);
}

async function readFacts({ rolloutStore, prometheus }: RolloutPorts, rollout: Rollout, poll: RolloutPoll): Promise<RolloutFacts> {
  const { now, signal, memory, criterion = { kind: "clear" } } = poll;
  await rolloutStore.failOverdue(rollout.id, now);
  const { facts } = await readRolloutFacts(rolloutStore, rollout, now);
  const guard = worseOf(criterion, await checkGuards(rollout.plan.guards, { prometheus, signal }));
  return { ...facts, guard, blindSince: memory.blindSince };
}

function worseOf(first: RolloutGuard, second: RolloutGuard): RolloutGuard {
  const order = { broken: 0, unseen: 1, clear: 2 };
  return order[first.kind] <= order[second.kind] ? first : second;
}
