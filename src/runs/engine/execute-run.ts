import type { Truth } from "../../../packages/sdk/src/wire/journal.ts";
import type { CheckItem, Runbook } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { Clock } from "../../core/clock.ts";
import { ensureFailure } from "../../core/failure.ts";
import { evaluate, resolvePromql, truthOf } from "../../runbooks/expressions/expression.ts";
import type { StandingSeen } from "./alert-standing.ts";
import { askPeople } from "./ask-people.ts";
import { attemptStep } from "./attempt-step.ts";
import type { AttemptDeps } from "./bind-call.ts";
import type { EngineDeps } from "./engine-deps.ts";
import { checkPromql, type Seen } from "./judge-promql.ts";
import { defaultPace, type Pace, type Sight } from "./move.ts";
import { nextMove } from "./next-move.ts";
import { probeStep } from "./probe-step.ts";
import { readOnce } from "./read-once.ts";
import { createRunWriter, LeaseLost, NotReplicated, type RunWriter } from "./run-writer.ts";
import { scopeOf } from "./scope.ts";
import { undoEffect } from "./undo-effect.ts";

/** What became of one look at a run. */
export type Execution = "ended" | "suspended" | "yielded" | "fenced" | "held" | "waiting" | "unknown_run" | "damaged";

/** Beyond what the engine needs. */
export interface ExecutorOptions {
  readonly clock: Clock;
  /** Id of a new question. */
  readonly questionId: () => string;
  readonly pace?: Pace;
  /** Waits up to this long keep the worker; longer ones suspend the run and occupy none. */
  readonly shortWaitMs?: number;
  /** Claims without progress after which a run is poisoned. */
  readonly maxStalls?: number;
  /** Cooldown to start when the run has ended. */
  readonly cooldownOf: (runbook: Runbook, writer: RunWriter) => readonly { readonly bucket: string; readonly forMs: number }[];
}

/** Claims a run and carries it as far as it goes now. */
export interface Executor {
  /** `drain`: aborted when the process wants to stop; the run is given back at the next step boundary. */
  execute(runId: string, drain: AbortSignal): Promise<Execution>;
}

/** Binds the engine to its ports. */
export function createExecutor(deps: EngineDeps, options: ExecutorOptions): Executor {
  const { clock } = options;
  const shortWaitMs = options.shortWaitMs ?? 10_000;
  const attemptDeps: AttemptDeps = {
    ...deps,
    clock,
    questionId: options.questionId,
    sample: (writer, runbook) => sampleTracked(runbook, writer, { metrics: deps.metrics, clock }),
  };

  const sight: Sight = {
    alerts: deps.standing !== undefined,
    mutates: ({ action }) => action !== undefined && deps.actions.find(action.name)?.effectOf(action.parameters) !== "read",
  };

  return {
    async execute(runId, drain) {
      const claimed = await deps.ledger.claim(runId);
      if ("refused" in claimed) return claimed.refused;
      const writer = createRunWriter(claimed, { ledger: deps.ledger, clock });
      try {
        writer.receiveNotices();
        const { request, waiting, lastAt } = writer.view;
        const idleMs = waiting ? undefined : clock.now() - lastAt;
        writer.record({ kind: "claimed", worker: claimed.lease.token });
        deps.observer.claimed({ runId, runbookId: request.runbookId, stalls: claimed.stalls, ...(idleMs !== undefined && { idleMs }) });
        const runbook = await deps.runbooks.get(request.runbookSha, request.runbookId);
        const unfit = runbook === undefined ? corrupt : claimed.stalls > (options.maxStalls ?? 3) ? poisoned : undefined;
        if (runbook === undefined || unfit !== undefined) {
          const ending = { outcome: "failed", reason: unfit?.message ?? "", ...(unfit !== undefined && { failure: unfit }) } as const;
          writer.record({ kind: "concluded", ...ending });
          writer.record({ kind: "finished", ...ending });
          await end(writer, runbook);
          return "ended";
        }
        return await drive(runbook, writer, drain);
      } catch (error) {
        if (error instanceof NotReplicated) return await giveBack(writer);
        if (!(error instanceof LeaseLost)) throw error;
        deps.observer.fenced(runId);
        return "fenced";
      } finally {
        writer.close();
      }
    },
  };

  /** Gives a run back until the replicas may be there again. */
  async function giveBack(writer: RunWriter): Promise<Execution> {
    try {
      await writer.flush({ state: "queued", release: { dueAt: clock.now() + replicasAgainMs } });
      return "yielded";
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      deps.observer.fenced(writer.lease.runId);
      return "fenced";
    }
  }

  async function drive(runbook: Runbook, writer: RunWriter, drain: AbortSignal): Promise<Execution> {
    for (let moves = 0; ; moves += 1) {
      // A state machine that turns in a circle must not take the worker with it; the poison rule ends the run.
      if (moves > maxMoves) throw new Error(`Run ${writer.view.runId} made ${maxMoves} moves in one execution without end.`);
      if (drain.aborted) {
        await writer.flush({ state: "queued", release: { dueAt: clock.now() } });
        return "yielded";
      }
      writer.receiveNotices();
      const move = nextMove(runbook, writer.view, clock.now(), options.pace ?? defaultPace, sight);
      switch (move.kind) {
        case "record":
          for (const entry of move.entries) writer.record(entry);
          break;
        case "attempt":
          if (writer.view.samples.length === 0) await sampleTracked(runbook, writer, attemptDeps);
          if ((await attemptStep(runbook, move.step, move.resume, writer, attemptDeps)) === "frozen") return "suspended";
          break;
        case "probe":
          await probeStep(runbook, move.step, "doubt", true, writer, attemptDeps);
          await writer.flush();
          break;
        case "recheck":
          await probeStep(runbook, move.step, "expected", move.last, writer, attemptDeps);
          break;
        case "preflight": {
          const { kind: standing, detail } = await askStanding(writer, attemptDeps);
          writer.record({ kind: "preflight", standing, detail });
          break;
        }
        case "check": {
          const seen = await runCheck(move.item, writer, attemptDeps);
          writer.record({ kind: "checked", subject: move.subject, truth: seen.truth, detail: seen.detail });
          break;
        }
        case "ask":
          askPeople(writer, move.step, { kind: move.question, text: move.text, answers: move.answers }, attemptDeps);
          break;
        case "escalate":
          await deps.announce(move.question, runbook, true).catch(() => undefined);
          writer.record({ kind: "escalated", questionId: move.question.id });
          break;
        case "suspend": {
          const wait = move.until - clock.now();
          if (!move.asked && wait <= shortWaitMs) {
            if (writer.hasUnwritten) await writer.flush();
            await sleepUntilWoken(wait, writer, drain);
            break;
          }
          if (!move.asked)
            writer.record({ kind: "suspended", until: move.until, why: move.why, ...(move.step !== undefined && { step: move.step }) });
          const question = move.asked ? writer.view.question?.question : undefined;
          // A question that nobody hears of would wait for ever; one that is told twice is only told twice.
          if (question !== undefined) await deps.announce(question, runbook, false).catch(() => undefined);
          const reply = await writer.flush({
            state: question?.kind === "in_doubt" ? "in_doubt" : "suspended",
            summary: { note: move.why },
            ...(question !== undefined && { question }),
            release: Number.isFinite(move.until) ? { dueAt: move.until } : {},
          });
          // A stop or a resolve that came meanwhile wakes the run again by itself.
          return reply.kind === "ok" ? "suspended" : "fenced";
        }
        case "undo":
          if ((await undoEffect(move.step, move.effect, writer, attemptDeps)) === "frozen") return "suspended";
          break;
        case "finish":
          await sampleTracked(runbook, writer, attemptDeps);
          writer.record({
            kind: "finished",
            outcome: move.outcome,
            reason: move.reason,
            ...(move.failure !== undefined && { failure: move.failure }),
          });
          await end(writer, runbook);
          return "ended";
        case "ended":
          await end(writer, runbook);
          return "ended";
      }
    }
  }

  async function end(writer: RunWriter, runbook: Runbook | undefined): Promise<void> {
    writer.receiveNotices();
    const finished = writer.view.finished;
    const outcome = finished?.outcome ?? "failed";
    await writer.flush({
      state: "ended",
      summary: { outcome, note: finished?.reason ?? "", endedAt: clock.now() },
      release: {},
      ...(runbook !== undefined && { cooldowns: options.cooldownOf(runbook, writer) }),
    });
    deps.observer.ended({
      runId: writer.view.runId,
      runbookId: writer.view.request.runbookId,
      outcome,
      ms: clock.now() - writer.view.acceptedAt,
    });
  }

  async function sleepUntilWoken(ms: number, writer: RunWriter, drain: AbortSignal): Promise<void> {
    try {
      await clock.sleep(ms, AbortSignal.any([writer.lostSignal, writer.stopSignal, drain]));
    } catch {
      if (writer.lostSignal.aborted) throw new LeaseLost(writer.lease.runId);
    }
  }
}

const replicasAgainMs = 2000;

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

const preflightTimeoutMs = 15_000;
const checkTimeoutMs = 15_000;
const sampleTimeoutMs = 5000;

/** Asks how the run's alert stands; whatever goes wrong is "unknown". */
async function askStanding(writer: RunWriter, { standing, clock }: AttemptDeps): Promise<StandingSeen> {
  const { alert } = writer.view.request;
  if (standing === undefined || alert === undefined) return { kind: "unknown", detail: "there is nobody to ask" };
  try {
    return await standing.ask(alert, AbortSignal.any([writer.lostSignal, clock.timeout(preflightTimeoutMs)]));
  } catch (error) {
    if (writer.lostSignal.aborted) throw new LeaseLost(writer.lease.runId);
    return { kind: "unknown", detail: ensureFailure(error).message };
  }
}

/** One look at a Prerequisite or Verification item. */
async function runCheck(item: CheckItem, writer: RunWriter, deps: AttemptDeps): Promise<Seen> {
  const { check } = item;
  if (check === undefined) return { truth: "true", detail: "" };
  const scope = scopeOf(writer.view);
  const signal = AbortSignal.any([writer.lostSignal, deps.clock.timeout(checkTimeoutMs)]);
  switch (check.kind) {
    case "expression":
      return judged(check.expression.source, truthOf(evaluate(check.expression.source, scope)));
    case "promql": {
      const query = resolvePromql(check.query, scope);
      return query.ok ? checkPromql(query.query, deps.metrics, signal) : { truth: "inconclusive", detail: query.what };
    }
    case "action": {
      const step = {
        id: `check_${item.position.line}`,
        name: item.text,
        number: 0,
        text: item.text,
        position: item.position,
        action: check.call,
        onFailure: { retries: 0, retryEveryMs: 0, then: { kind: "continue" } },
      } as const;
      try {
        const output = await readOnce(step, writer, deps);
        writer.receiveNotices();
        return judged(check.expected.source, truthOf(evaluate(check.expected.source, scopeOf(writer.view, output))));
      } catch (error) {
        if (writer.lostSignal.aborted) throw new LeaseLost(writer.lease.runId);
        return { truth: "inconclusive", detail: ensureFailure(error).message };
      }
    }
  }
}

function judged(source: string, truth: Truth): Seen {
  return { truth, detail: `\`${source}\` is ${truth}` };
}

async function sampleTracked(runbook: Runbook, writer: RunWriter, deps: Pick<AttemptDeps, "metrics" | "clock">): Promise<void> {
  const names = Object.entries(runbook.track);
  if (names.length === 0) return;
  writer.receiveNotices();
  const scope = scopeOf(writer.view);
  const signal = AbortSignal.any([writer.lostSignal, deps.clock.timeout(sampleTimeoutMs)]);
  const values = await Promise.all(
    names.map(async ([name, source]) => {
      const query = resolvePromql(source, scope);
      if (!query.ok) return [name, null] as const;
      const reply = await deps.metrics.query(query.query, undefined, signal);
      const value = reply.kind === "samples" ? reply.samples[0]?.value : undefined;
      return [name, value !== undefined && Number.isFinite(value) ? value : null] as const;
    }),
  );
  writer.record({ kind: "sampled", values: Object.fromEntries(values) });
}
