import type { Runbook } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { Clock } from "../../core/clock.ts";
import type { ClaimedRun } from "../store.ts";
import type { ActiveRun, ActiveRunDeps } from "./active-run.ts";
import { type Asked, askPeople } from "./ask-people.ts";
import { attemptStep } from "./attempt-step.ts";
import type { EngineDeps } from "./engine-deps.ts";
import { createFreezeWatch } from "./freeze-watch.ts";
import { type Capabilities, defaultIntervals, type Intervals, type MoveOf } from "./move.ts";
import { findStep, nextMove } from "./next-move.ts";
import { probeStep, recheckStep } from "./probe-step.ts";
import { readStanding } from "./read-standing.ts";
import { runCheck } from "./run-check.ts";
import { runTimeOf } from "./run-view.ts";
import { createRunWriter, LeaseLost, NotReplicated, type RunWriter } from "./run-writer.ts";
import { sampleMetrics } from "./sample-metrics.ts";
import { stepsToRepeat } from "./steps-to-repeat.ts";
import { undoEffect } from "./undo-effect.ts";

/** How one execution of a run ended. */
export type Execution = "ended" | "suspended" | "yielded" | "fenced" | "leased" | "waiting" | "unknown_run" | "damaged";

/** What the executor needs beside the engine's ports. */
export interface ExecutorOptions {
  readonly clock: Clock;
  /** Id of a new question. */
  readonly questionId: () => string;
  readonly intervals?: Intervals;
  /** Waits up to this many milliseconds keep the worker; longer ones suspend the run and occupy none. Default: 10 s. */
  readonly shortWaitMs?: number;
  /** A run that is claimed more often than this without progress is poisoned. Default: 3. */
  readonly maxStalls?: number;
  /** Cooldown to start when the run has ended. */
  readonly cooldownOf: (runbook: Runbook, writer: RunWriter) => readonly { readonly bucket: string; readonly forMs: number }[];
}

/** Claims a run and executes it until it ends, waits or is taken away. */
export interface Executor {
  /** `drain`: aborted when the process wants to stop; the run is released at the next step boundary. */
  execute(runId: string, drain: AbortSignal): Promise<Execution>;
}

/** Whether the executor goes on with the next move, or has left the run. */
type MoveOutcome = { readonly kind: "moved" } | { readonly kind: "left"; readonly execution: Execution };

const moved: MoveOutcome = { kind: "moved" };

/** Binds the engine to its ports. */
export function createExecutor(ports: EngineDeps, options: ExecutorOptions): Executor {
  const { clock, intervals = defaultIntervals, shortWaitMs = 10_000, maxStalls = 3 } = options;
  const deps: ActiveRunDeps = { ...ports, clock, questionId: options.questionId, watchFreeze: createFreezeWatch(clock, ports) };

  const capabilities: Capabilities = {
    canAskAlertmanager: deps.standing !== undefined,
    mutates: ({ action }) => action !== undefined && deps.actions.find(action.name)?.effectOf(action.parameters) !== "read",
  };

  return {
    async execute(runId, drain) {
      const claimed = await deps.journal.claim(runId);
      if ("refused" in claimed) return claimed.refused;
      const writer = createRunWriter(claimed, { journal: deps.journal, clock });
      try {
        return await executeClaimed(claimed, writer, drain);
      } catch (error) {
        if (error instanceof NotReplicated) return await releaseForReplicas(writer);
        if (!(error instanceof LeaseLost)) throw error;
        deps.publish({ kind: "write_fenced", runId });
        return "fenced";
      } finally {
        writer.close();
      }
    },
  };

  async function executeClaimed({ lease, stalls, joined }: ClaimedRun, writer: RunWriter, drain: AbortSignal): Promise<Execution> {
    writer.receiveNotices();
    const { request, waiting, lastAt } = writer.view;
    const idleMs = waiting ? undefined : writer.now() - lastAt;
    writer.record({ kind: "claimed", worker: deps.journal.worker ?? lease.token });
    const { runId } = lease;
    deps.publish({ kind: "run_claimed", runId, runbookId: request.runbookId, stalls, ...(idleMs !== undefined && { idleMs }) });
    const runbook = await deps.runbooks.get(request.runbookSha, request.runbookId);
    const failure = runbook === undefined ? corrupt : stalls > maxStalls ? poisoned : undefined;
    if (runbook !== undefined && failure === undefined) {
      if (joined !== undefined) recordJoins(joined, runbook, writer);
      return drive({ runbook, writer, deps }, drain);
    }
    const ending = { outcome: "failed", reason: failure?.message ?? "", ...(failure !== undefined && { failure }) } as const;
    writer.record({ kind: "concluded", ...ending });
    writer.record({ kind: "finished", ...ending });
    return end(writer, runbook);
  }

  /** A stop is never held back: what another alert of the target calls for is contained by this run, wherever it waits. */
  function recordJoins(joined: NonNullable<ClaimedRun["joined"]>, runbook: Runbook, writer: RunWriter): void {
    const { view } = writer;
    const isOver = view.concluded !== undefined || view.undoing !== undefined || view.stop !== undefined;
    if (isOver || joined.count <= view.joined) return;
    writer.record({ kind: "joined", ...joined, repeats: [...stepsToRepeat(runbook, deps.actions)] });
  }

  async function drive(run: ActiveRun, drain: AbortSignal): Promise<Execution> {
    const { runbook, writer } = run;
    for (let moves = 0; ; moves += 1) {
      // A state machine that turns in a circle must not keep the worker for ever; the poison rule ends the run.
      if (moves > maxMoves) throw new Error(`Run ${writer.lease.runId} made ${maxMoves} moves in one execution without end.`);
      if (drain.aborted) return releaseForOthers(writer);
      writer.receiveNotices();
      const move = nextMove(runbook, writer.view, { now: writer.now(), intervals, capabilities });
      switch (move.kind) {
        case "record":
          for (const entry of move.entries) writer.record(entry);
          break;
        case "attempt":
          if (writer.view.samples.length === 0) await sampleMetrics(run);
          if ((await attemptStep(move, run)).kind === "suspended") return "suspended";
          break;
        case "probe":
          await probeStep(move, run);
          await writer.flush();
          break;
        case "recheck":
          await recheckStep(move, run);
          break;
        case "preflight": {
          const { kind: standing, detail } = await readStanding(run);
          writer.record({ kind: "preflight", standing, detail });
          break;
        }
        case "check": {
          const { truth, detail } = await runCheck(move.item, run);
          writer.record({ kind: "checked", subject: move.subject, truth, detail });
          break;
        }
        case "ask":
          askPeople(run, move.step, { kind: move.question, text: move.text, answers: move.answers, ...rulesOf(move) });
          break;
        case "escalate":
          await deps.announce(move.question, runbook, true).catch(() => undefined);
          writer.record({ kind: "escalated", questionId: move.question.id });
          break;
        case "suspend": {
          const outcome = await suspend(move, run, drain);
          if (outcome.kind === "left") return outcome.execution;
          break;
        }
        case "undo":
          if ((await undoEffect(move, run)).kind === "suspended") return "suspended";
          break;
        case "finish":
          await sampleMetrics(run);
          writer.record({
            kind: "finished",
            outcome: move.outcome,
            reason: move.reason,
            ...(move.failure !== undefined && { failure: move.failure }),
          });
          return end(writer, runbook);
        case "ended":
          return end(writer, runbook);
      }
    }
  }

  /** Waits with the run when the wait is short; otherwise releases it until the wait is over or a person answers. */
  async function suspend(move: MoveOf<"suspend">, { runbook, writer }: ActiveRun, drain: AbortSignal): Promise<MoveOutcome> {
    const { why, step, place, asked } = move;
    const now = clock.now();
    const waitMs = move.until - runTimeOf(writer.view, now);
    const until = now + waitMs;
    const suspended = { kind: "suspended", until, why, ...(step !== undefined && { step }) } as const;
    if (!asked && waitMs <= shortWaitMs) {
      // The run's own time goes on from an entry that has the new time.
      if (now < writer.view.clockAt) writer.record(suspended);
      if (writer.hasUnwritten) await writer.flush();
      await sleepUntilWoken(waitMs, writer, drain);
      return moved;
    }
    if (!asked) writer.record(suspended);
    const question = asked ? writer.view.question?.question : undefined;
    // Announced before it is written: a question that is never announced would wait for ever, while one that is announced twice does no harm.
    if (question !== undefined) await deps.announce(question, runbook, false).catch(() => undefined);
    const result = await writer.flush({
      state: question?.kind === "in_doubt" ? "in_doubt" : "suspended",
      summary: { note: why, ...waitingAt(place ?? findStep(runbook, step ?? question?.stepId ?? "")?.name) },
      ...(question !== undefined && { question }),
      release: Number.isFinite(until) ? { dueAt: until } : {},
    });
    // The script wakes the run again when a stop or an end of the alert has arrived that is not in the journal.
    return { kind: "left", execution: result.kind === "ok" ? "suspended" : "fenced" };
  }

  async function sleepUntilWoken(ms: number, writer: RunWriter, drain: AbortSignal): Promise<void> {
    try {
      await clock.sleep(ms, AbortSignal.any([writer.lostSignal, writer.stopSignal, drain]));
    } catch {
      if (writer.lostSignal.aborted) throw new LeaseLost(writer.lease.runId);
    }
  }

  /** The process stops: another worker may go on with the run at once. */
  async function releaseForOthers(writer: RunWriter): Promise<Execution> {
    await writer.flush({ state: "queued", release: { dueAt: clock.now() } });
    return "yielded";
  }

  /** Releases a run until the replicas may be there again. */
  async function releaseForReplicas(writer: RunWriter): Promise<Execution> {
    try {
      await writer.flush({ state: "queued", release: { dueAt: clock.now() + replicasRetryMs } });
      return "yielded";
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      deps.publish({ kind: "write_fenced", runId: writer.lease.runId });
      return "fenced";
    }
  }

  async function end(writer: RunWriter, runbook: Runbook | undefined): Promise<Execution> {
    writer.receiveNotices();
    const { finished, runId, request, acceptedAt } = writer.view;
    const outcome = finished?.outcome ?? "failed";
    await writer.flush({
      state: "ended",
      summary: { outcome, note: finished?.reason ?? "", endedAt: clock.now() },
      release: {},
      ...(runbook !== undefined && { cooldowns: options.cooldownOf(runbook, writer) }),
    });
    deps.publish({ kind: "run_ended", runId, runbookId: request.runbookId, outcome, ms: clock.now() - acceptedAt });
    return "ended";
  }
}

/** Who may answer a question of the state machine, and until when: as the Approval of the step says, when its permission is asked for. */
function rulesOf({ question, step: { approval } }: MoveOf<"ask">): Partial<Pick<Asked, "role" | "of" | "withinMs">> {
  if (question !== "approve" || approval === undefined) return {};
  const { role, of, withinMs } = approval;
  return { role, of, withinMs };
}

/** Where the run waits, as a list of runs shows it: the name of a step, or of a check or a post-action by its number. */
function waitingAt(name: string | undefined): { readonly step?: string } {
  return name === undefined ? {} : { step: name };
}

const replicasRetryMs = 2000;

/** Far above what a document of 100 steps with polls can need before it suspends or ends. */
const maxMoves = 5000;

const corrupt = {
  reason: "runbook_corrupt",
  message: "The pinned document is gone, was changed, or is not understood by this version.",
  applied: "no",
} as const;
const poisoned = {
  reason: "poisoned",
  message: "The run was claimed again and again without progress; people must look.",
  applied: "no",
} as const;
