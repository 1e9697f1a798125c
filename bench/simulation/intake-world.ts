import { createHash } from "node:crypto";
import { createIntake, type Intake } from "../../src/alerts/create-intake.ts";
import type { AcceptStore } from "../../src/alerts/store.ts";
import { createMemoryAcceptStore } from "../../src/rehearsal/memory-accept-store.ts";
import { aRunbook } from "../../test/builders/a-runbook.ts";
import { faultKinds, faultOf } from "./faults.ts";
import { type CallWorld, inflict } from "./inflict.ts";
import { judgeIntake } from "./intake-rules.ts";
import { withLightSignals } from "./light-signals.ts";
import { createOperations, pickOf } from "./operations.ts";
import { createWorldTime, settled, type TimedProcess } from "./process-clock.ts";
import type { Schedule } from "./schedule.ts";
import { type Alertmanagers, startAlertmanager } from "./simulated-alertmanager.ts";
import { drawAlerts } from "./simulated-alerts.ts";
import type { WorldResult } from "./simulated-world.ts";
import type { Violation } from "./violation.ts";

/** One way to break intake. */
export interface IntakeMutant {
  readonly name: string;
  readonly says: string;
  readonly store: (store: AcceptStore) => AcceptStore;
}

interface IntakeProcess extends TimedProcess {
  readonly id: number;
  readonly worker: string;
  readonly intake: Intake;
}

/** Runs take this long, whatever becomes of their alert. */
const runLengthsMs = [20_000, 400_000, 2_000_000] as const;
/** After the last alert has ended. */
const restMs = 60_000;
/** Decisions after which no fault happens any more. */
const maxDecisions = 400;
const maxSteps = 20_000;

/** Places of the faults that a call of intake may meet. */
const faultsOfCalls = faultKinds.flatMap((kind, index) =>
  ["other", "advance", "crash", "crash_after", "lose_reply", "refuse", "resend", "stop_process", "stop_process_after"].includes(kind)
    ? [index]
    : [],
);

const runbooks = ["Slow", "Dear"].map((name, index) =>
  aRunbook([], {
    id: name.toLowerCase(),
    sha256: String(index).repeat(64),
    triggers: [],
    target: "thing/${alert.labels.thing}",
    ...(index === 0 && { onJoined: "repeat" as const }),
  }),
);

/**
 * Executes one world of intake: two servers as they ship over the store of accepts in memory, and two Alertmanagers that notify them of the same alerts,
 * each in its order, and again until they are answered.
 */
export async function simulateIntake(schedule: Schedule, { mutant }: { readonly mutant?: IntakeMutant } = {}): Promise<WorldResult> {
  return withLightSignals(async () => execute(schedule, mutant));
}

async function execute(schedule: Schedule, mutant: IntakeMutant | undefined): Promise<WorldResult> {
  const time = createWorldTime();
  const operations = createOperations();
  const trace: string[] = [];
  const processes = new Map<number, IntakeProcess>();
  const clock = time.clockOf({ dead: false, stoppedUntil: 0, offsetMs: 0 });
  const plain = createMemoryAcceptStore(clock);
  const store = mutant?.store(plain) ?? plain;
  const open = new Set<string>();
  let steps = 0;
  let ids = 0;

  const world: CallWorld = {
    time,
    operations,
    processes,
    stops: [],
    sequence: () => steps * 10,
    note: (line) => void trace.push(`${time.elapsed()} ${line}`),
    start,
  };

  function start(worker: string): void {
    const id = processes.size + 1;
    const about: TimedProcess = { dead: false, stoppedUntil: 0, offsetMs: 0 };
    const intake = createIntake({
      store: {
        read: async (keys) => operations.call({ process: id, port: "journal", label: `read ${keys.length}` }, async () => store.read(keys)),
        accept: async (writes) =>
          operations.call(
            { process: id, port: "journal", label: `accept ${writes.map(({ fingerprint }) => fingerprint).join()}` },
            async () => store.accept(writes),
          ),
      },
      bytes: plain,
      wakeQueue: { enqueue: () => undefined },
      library: { match: ({ alertname }) => runbooks.find(({ id: name }) => name === alertname?.toLowerCase()) },
      guards: () => ({ kind: "allow", claims: [] }),
      clock: time.clockOf(about),
      ids: (prefix) => `${prefix}_${(ids += 1)}`,
      publish: () => undefined,
    });
    processes.set(id, Object.assign(about, { id, worker, intake }));
    world.note(`start process ${id} of ${worker}`);
  }

  start("s1");
  start("s2");
  const alerts = drawAlerts(schedule);
  const senders: Alertmanagers = startAlertmanager(schedule, { alerts, time, note: world.note, servers: () => [...processes.values()] });
  const few = Array.from({ length: pickOf(schedule, [0, 2, 3]) }, () => faultsOfCalls[schedule.pick(faultsOfCalls.length)] ?? 0);
  const focus = few.length === 0 ? faultsOfCalls : few;
  const lengthMs = pickOf(schedule, runLengthsMs);

  const watchRuns = (): void => {
    for (const { summary } of plain.runs()) {
      if (open.has(summary.id)) continue;
      open.add(summary.id);
      time.plan(lengthMs, () => {
        plain.endRun(summary.id);
        world.note(`end ${summary.id}`);
        ended.add(summary.id);
      });
    }
  };
  const ended = new Set<string>();

  let violation: Violation | undefined;
  let isCalm = false;
  let judged = 0;
  const endMs = Math.max(...alerts.flatMap(({ firings }) => firings.map(({ to }) => to))) + restMs;
  for (;;) {
    await settled();
    watchRuns();
    const about = { alerts, runs: plain.runs(), ended, decisions: senders.decisions };
    const size = about.runs.length + about.decisions.length;
    if (size !== judged) violation ??= judgeIntake(about)[0];
    judged = size;
    const isOver = time.elapsed() > endMs && senders.isQuiet();
    if (violation === undefined && isOver)
      violation = judgeIntake(about, { episodes: plain.episodes(), resolvedOf: (runId) => plain.resolvedOf(runId) })[0];
    if (violation !== undefined || isOver) break;
    if (steps > maxSteps) {
      violation = { rule: "liveness", what: `${maxSteps} steps were made, and notifications are still not answered` };
      break;
    }
    isCalm ||= schedule.taken.length >= maxDecisions;
    steps += 1;
    await inflict(world, isCalm ? undefined : faultOf(schedule.next(), focus), () => false);
  }
  for (const process of processes.values()) process.dead = true;
  const durable = JSON.stringify([plain.runs().map(({ summary }) => summary), plain.episodes()]);
  trace.push(`end ${violation?.rule ?? "ok"} ${durable}`);
  const traceSha = createHash("sha256").update(trace.join("\n")).digest("hex");
  return { violation, steps, elapsedMs: time.elapsed(), traceSha, decisions: schedule.taken, trace, durable };
}
