import { createHash } from "node:crypto";
import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import type { Mode } from "../../packages/sdk/src/wire/runs.ts";
import { canonicalTarget } from "../../src/core/canonical-target.ts";
import { defaultLimits } from "../../src/core/limits.ts";
import { evaluateGuardrails } from "../../src/guardrails/evaluate-guardrails.ts";
import type { EngineDeps } from "../../src/runs/engine/engine-deps.ts";
import { defaultIntervals } from "../../src/runs/engine/move.ts";
import { createChecker } from "./checkers.ts";
import { ConnectionLost, type FaultKind, faultKinds, faultOf } from "./faults.ts";
import { inflict } from "./inflict.ts";
import { withLightSignals } from "./light-signals.ts";
import type { Mutant } from "./mutant.ts";
import { createOperations, pickOf } from "./operations.ts";
import { answerOf, people } from "./people.ts";
import { createWorldTime, settled } from "./process-clock.ts";
import type { Schedule } from "./schedule.ts";
import { simulatedActions } from "./simulated-actions.ts";
import { simulatedDocuments, spellings, stepsToPermit } from "./simulated-documents.ts";
import { startProcess } from "./simulated-process.ts";
import { createSimulatedStore } from "./simulated-store.ts";
import { createSimulatedTarget } from "./simulated-target.ts";
import type { TimedCall } from "./store-calls.ts";
import type { Violation } from "./violation.ts";
import type { World } from "./world.ts";
import { inflictOnWorld } from "./world-faults.ts";

/** How a world went. */
export interface WorldResult {
  /** The first thing that was wrong, if anything was. */
  readonly violation: Violation | undefined;
  readonly steps: number;
  /** Of virtual time. */
  readonly elapsedMs: number;
  /** SHA-256 of everything that happened, in order. */
  readonly traceSha: string;
  /** Every decision that was taken. */
  readonly decisions: readonly number[];
  /** What happened, if it was asked for. */
  readonly trace: readonly string[];
  /** The durable state at the end: of each run its state, its outcome and the head of its journal. */
  readonly durable: string;
}

/** Details of one execution. */
export interface WorldOptions {
  readonly mutant?: Mutant;
  /** The only kinds of faults that happen; absent: the schedule draws them. */
  readonly faults?: readonly FaultKind[];
  /** What the runs may execute; absent: all simulated documents. */
  readonly documents?: readonly Runbook[];
  /** Decisions after which no fault happens any more. */
  readonly maxDecisions?: number;
  /** Hears every call that reaches the store. */
  readonly record?: (call: TimedCall) => void;
}

/** After the faults have stopped, all runs end within this many milliseconds and steps. */
const calmMs = 15 * 60_000;
const maxSteps = 12_000;
/** Work that goes on and on without waiting for anything. */
const maxStepsAtOnce = 500;
const limit = { max: 4, windowMs: 20_000 };
const policy = { limits: { ...defaultLimits, raises_per_hour_action: 1000, raises_per_hour_target: 1000 }, protectedTargets: [] };

/**
 * Executes one world: the engine as it ships in two or three workers, over the stores in memory. Each call of a port waits until the schedule
 * lets it go on; nothing else decides what happens.
 */
export async function simulate(schedule: Schedule, options: WorldOptions = {}): Promise<WorldResult> {
  return withLightSignals(async () => execute(schedule, options));
}

async function execute(
  schedule: Schedule,
  { mutant, faults = mutant?.faults, documents = simulatedDocuments, maxDecisions = 150, record }: WorldOptions,
): Promise<WorldResult> {
  const time = createWorldTime();
  const operations = createOperations();
  const storeProcess = { dead: false, stoppedUntil: 0, offsetMs: 0 };
  const trace: string[] = [];
  let steps = 0;
  const sequence = () => steps * 10;
  const target = createSimulatedTarget(sequence);
  const hasReplicas = schedule.pick(2) === 1;
  const store = createSimulatedStore(time.clockOf(storeProcess), {
    operations,
    replicas: hasReplicas,
    record,
    isBlind: mutant?.isBlind,
    ...(mutant?.journal !== undefined && { wrap: mutant.journal }),
    ...(mutant?.questions !== undefined && { wrapQuestions: mutant.questions }),
  });
  const workers = pickOf(schedule, [2, 3]);
  const runCount = pickOf(schedule, [1, 2, 3]);
  const pinned = new Map<string, Runbook>(documents.map((one) => [one.sha256, one]));
  let violation: Violation | undefined;
  let questions = 0;

  const world: World = {
    time,
    operations,
    store,
    target,
    storeProcess,
    hasReplicas,
    processes: new Map(),
    runs: new Map(),
    present: new Map(documents.map((one) => [one.id, one])),
    announced: new Set(),
    roles: new Map(people),
    roleOf: mutant?.role ?? ((present) => present),
    answersSent: [],
    stops: [],
    killSwitches: [],
    stopsAsked: new Map(),
    sequence,
    note: (line) => void trace.push(`${time.elapsed()} ${line}`),
    start,
  };

  function start(worker: string): void {
    const id = world.processes.size + 1;
    const process = { id, worker, dead: false, stoppedUntil: 0, offsetMs: storeProcess.offsetMs };
    store.reclaim(worker);
    const clock = time.clockOf(process);
    const actions = simulatedActions({ process: id, operations, target, targetOf: (runId) => world.runs.get(runId)?.target ?? "" });
    const ask = async <Value>(port: "journal" | "metrics" | "queue", label: string, work: () => Value): Promise<Value> =>
      operations.call({ process: id, port, label }, async () => work());
    const engine: EngineDeps = {
      journal: store.journalOf(id, { name: worker, clock }),
      runbooks: { get: async (sha) => pinned.get(sha) },
      actions: {
        find(name) {
          const action = actions.find(name);
          return action === undefined ? undefined : (mutant?.action?.(action) ?? action);
        },
      },
      guard: (candidate, now) => {
        const verdict = evaluateGuardrails(candidate, now, { policy });
        const bucket = { bucket: "run-rate:all", ...limit, amount: 1 };
        return verdict.kind === "allow" && candidate.action.effect !== "read"
          ? { ...verdict, claims: [...verdict.claims, bucket] }
          : verdict;
      },
      metrics: {
        query: async (promql) =>
          ask("metrics", `query ${promql}`, () => ({
            kind: "samples" as const,
            samples: [{ labels: {}, value: 1, at: time.now() }],
          })).catch(() => ({ kind: "unavailable" as const, reason: "the connection broke" })),
      },
      publish: () => undefined,
      freezes: async () => ask("journal", "freezes", () => [...store.state.freezes.values()]),
      announce: async () => undefined,
    };
    const present = { get: async (_sha: string, runbookId: string) => world.present.get(runbookId) };
    const started = startProcess({
      process,
      clock,
      engine: mutant?.engine?.(engine, present) ?? engine,
      intervals: mutant?.intervals ?? defaultIntervals,
      questions: store.questionsOf(id),
      questionId: () => `q_${(questions += 1)}`,
      due: async (count) =>
        ask("queue", "due", () => {
          // The worker reads the clock of the store with each sweep.
          process.offsetMs = storeProcess.offsetMs;
          const due = store.due(count);
          return mutant?.due?.(due, (runId) => store.state.rows.get(runId)?.state) ?? due;
        }),
      isFit: () => !store.durability.isUnfit || mutant?.isBlind === true,
      defect(error) {
        if (error instanceof ConnectionLost) return;
        violation ??= { rule: "defect", what: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
      },
    });
    world.processes.set(id, started);
    world.note(`start process ${id} of ${worker}`);
  }

  const accept = (index: number): void => {
    const first = documents[0];
    const document = world.present.get(documents[schedule.pick(documents.length)]?.id ?? "") ?? first;
    if (document === undefined) return;
    const spelled = schedule.pick(2) === 0 ? pickOf(schedule, ["thing/a", ...spellings]) : `thing/${index}`;
    const mode = pickOf<Mode>(schedule, ["auto", "auto", "approve"]);
    const requester = pickOf(schedule, [undefined, undefined, "ann"]);
    const delayMs = pickOf(schedule, [0, 0, 700, 5000]);
    const runId = `run_${index}`;
    const arrive = (): void => {
      // Nothing is accepted under a freeze; its sender comes again.
      if (store.state.freezes.size > 0) {
        time.plan(1000, arrive);
        return;
      }
      const now = world.present.get(document.id) ?? document;
      pinned.set(now.sha256, now);
      world.runs.set(runId, { target: spelled, document: now, mode });
      const request = { runbookId: now.id, runbookSha: now.sha256, mode, params: {}, target: spelled, source: "manual" } as const;
      store.memory.create(runId, { ...request, ...(requester !== undefined && { requester }) });
      store.confirm();
      world.note(`accept ${runId} ${now.id} ${spelled} ${mode}`);
      const [first, ...others] = [...world.processes.values()].filter(({ dead }) => !dead);
      if (first !== undefined) void pickOf(schedule, [first, ...others]).run(runId);
    };
    time.plan(delayMs, arrive);
  };

  for (let index = 1; index <= workers; index += 1) start(`w${index}`);
  for (let index = 1; index <= runCount; index += 1) accept(index);

  /** A world with few kinds of faults meets combinations of them that one with all kinds hardly ever meets. */
  const drawn = Array.from({ length: pickOf(schedule, [0, 2, 3, 5]) }, () => schedule.pick(faultKinds.length));
  const focus = faults === undefined ? drawn : faults.map((kind) => faultKinds.indexOf(kind));

  const checker = createChecker({
    store,
    target,
    sequence,
    now: () => time.now(),
    targetOf: (runId) => canonicalTarget(world.runs.get(runId)?.target ?? ""),
    needsPermission(runId, step) {
      const run = world.runs.get(runId);
      const isRead = run?.document.steps.some(({ id, action }) => id === step && action?.name === "read") === true;
      return run !== undefined && !isRead && (run.mode === "approve" || stepsToPermit(run.document).includes(step));
    },
    stepsOf: (runId) => world.runs.get(runId)?.document.steps.map(({ id }) => id) ?? [],
    get accepted() {
      return [...world.runs.keys()];
    },
    stops: world.stops,
    killSwitches: world.killSwitches,
    stopsAsked: world.stopsAsked,
    answersSent: world.answersSent,
    storeNow: () => time.now() + storeProcess.offsetMs,
    get limit() {
      return world.clockSetAt !== undefined ? undefined : limit;
    },
  });

  const isOver = (): boolean =>
    world.runs.size === runCount &&
    [...store.state.rows.values()].every(({ state }) => state === "ended") &&
    !operations.waiting.some(({ port }) => port === "target");

  let lastTime = -1;
  let stepsAtOnce = 0;
  let calmSince: number | undefined;
  for (;;) {
    await settled();
    answerOf(world);
    violation ??= checker.check()[0];
    if (violation !== undefined || isOver()) break;
    if (calmSince === undefined && schedule.taken.length >= maxDecisions) {
      calmSince = time.elapsed();
      calm(world);
    }
    if (steps > maxSteps || (calmSince !== undefined && time.elapsed() - calmSince > calmMs)) {
      const open = [...store.state.rows].flatMap(([id, { state }]) => (state === "ended" ? [] : [`${id} is ${state}`]));
      violation = { rule: "liveness", what: `${open.join(", ")} ${calmMs} ms after the faults have stopped` };
      break;
    }
    if (time.elapsed() > lastTime) {
      lastTime = time.elapsed();
      stepsAtOnce = 0;
    }
    if ((stepsAtOnce += 1) > maxStepsAtOnce) {
      violation = { rule: "liveness", what: `${maxStepsAtOnce} steps were made and no time has passed` };
      break;
    }
    steps += 1;
    await inflict(world, calmSince === undefined ? faultOf(schedule.next(), focus) : undefined, (fault) => inflictOnWorld(world, fault));
  }
  violation ??= checker.checkEnd()[0];
  for (const process of world.processes.values()) process.dead = true;
  const durable = JSON.stringify([...store.state.rows].map(([id, { state, summary, head }]) => [id, state, summary.outcome, head]));
  trace.push(`end ${violation?.rule ?? "ok"} ${durable}`);
  const traceSha = createHash("sha256").update(trace.join("\n")).digest("hex");
  return { violation, steps, elapsedMs: time.elapsed(), traceSha, decisions: schedule.taken, trace, durable };
}

/** The faults stop: everything that people and machines have broken is put right. */
function calm(world: World): void {
  world.store.durability.isUnfit = false;
  for (const scope of world.store.state.freezes.keys()) world.store.memory.unfreeze(scope);
  world.killSwitches.splice(
    0,
    world.killSwitches.length,
    ...world.killSwitches.map((one) => ({ ...one, to: Math.min(one.to, world.sequence()) })),
  );
  for (const [name, role] of people) world.roles.set(name, role);
  world.store.confirm();
  world.note("calm");
}
