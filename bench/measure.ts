import { randomBytes } from "node:crypto";
import { type Acknowledgement, sendAll, sendPaced, type Target } from "./load.ts";
import { monotonicMs, type Observation, type Observer } from "./observer.ts";
import { readCpuMs, readMemoryMb } from "./process-usage.ts";
import { quantile } from "./statistics.ts";

/** A program under test with everything that its CPU time is counted over. */
export interface Subject {
  readonly target: Target;
  /** The program's own processes and its Redis. */
  readonly pids: readonly number[];
}

/** How much work one measurement sends. */
export interface Volume {
  readonly warmUp: number;
  readonly saturation: number;
  readonly storm: number;
  readonly pacedSeconds: number;
}

/** The numbers of one side in one round. Times in milliseconds. */
export interface Measurement {
  readonly runsPerSecond: number;
  readonly cpuMsPerRun: number;
  readonly stormRunsPerSecond: number;
  readonly stormCpuMsPerRun: number;
  readonly stormAllAcknowledged: number;
  readonly stormLastFirstAction: number;
  readonly acknowledgeP50: number;
  readonly acknowledgeP99: number;
  readonly firstActionP50: number;
  readonly firstActionP99: number;
  readonly completionP50: number;
  readonly completionP99: number;
  readonly memoryMb: number;
  /** Answers 503 that were tried again. */
  readonly refused: number;
}

/** Alerts per second of the paced part. */
export const pacedPerSecond = 50;
/** Alerts per POST of the storm. */
export const stormGroup = 50;

/** Runs per second and CPU per run, one alert per POST over 32 connections. */
export async function measureSaturation(
  subject: Subject,
  observer: Observer,
  runs: number,
): Promise<{ runsPerSecond: number; cpuMsPerRun: number; refused: number }> {
  const ids = createIds(runs);
  const { elapsed, cpuMs, answers } = await sendAndFinish(subject, observer, ids, () =>
    sendAll(
      subject.target,
      ids.map((id) => [id]),
      32,
    ),
  );
  return { runsPerSecond: (runs * 1000) / elapsed, cpuMsPerRun: cpuMs / runs, refused: countRefused(answers) };
}

/** Everything about one side, in the order: warm-up, saturation, storm, steady rate. Throws when a run is lost or seen twice. */
export async function measureSubject(subject: Subject, observer: Observer, volume: Volume): Promise<Measurement> {
  await measureSaturation(subject, observer, volume.warmUp);
  const saturation = await measureSaturation(subject, observer, volume.saturation);
  const storm = await measureStorm(subject, observer, volume.storm);
  const paced = await measurePaced(subject, observer, volume.pacedSeconds);
  const memoryMb = subject.pids.reduce((sum, pid) => sum + readMemoryMb(pid), 0);
  return { ...saturation, ...storm, ...paced, memoryMb, refused: saturation.refused + storm.refused + paced.refused };
}

async function measureStorm(subject: Subject, observer: Observer, runs: number) {
  const ids = createIds(runs);
  const groups = Array.from({ length: Math.ceil(runs / stormGroup) }, (_, index) =>
    ids.slice(index * stormGroup, (index + 1) * stormGroup),
  );
  const { began, elapsed, cpuMs, answers, observed } = await sendAndFinish(subject, observer, ids, () =>
    sendAll(subject.target, groups, 16),
  );
  return {
    stormRunsPerSecond: (runs * 1000) / elapsed,
    stormCpuMsPerRun: cpuMs / runs,
    stormAllAcknowledged: Math.max(...answers.map((answer) => answer.acknowledgedAt)) - began,
    stormLastFirstAction: [...observed.values()].reduce((last, run) => Math.max(last, run.firstAt ?? Number.NaN), 0) - began,
    refused: countRefused(answers),
  };
}

async function measurePaced(subject: Subject, observer: Observer, seconds: number) {
  const ids = createIds(seconds * pacedPerSecond);
  const { answers, observed } = await sendAndFinish(subject, observer, ids, () =>
    sendPaced(
      subject.target,
      ids.map((id) => [id]),
      pacedPerSecond,
    ),
  );
  const since = (pick: (run: Observation) => number | undefined): readonly number[] =>
    answers.map(({ ids: [id = ""], sentAt }) => (pick(observed.get(id) ?? { firsts: 0, dones: 0 }) ?? Number.NaN) - sentAt);
  const acknowledged = answers.map((answer) => answer.acknowledgedAt - answer.sentAt);
  const firstAction = since((run) => run.firstAt);
  const completion = since((run) => run.doneAt);
  return {
    acknowledgeP50: quantile(acknowledged, 0.5),
    acknowledgeP99: quantile(acknowledged, 0.99),
    firstActionP50: quantile(firstAction, 0.5),
    firstActionP99: quantile(firstAction, 0.99),
    completionP50: quantile(completion, 0.5),
    completionP99: quantile(completion, 0.99),
    refused: countRefused(answers),
  };
}

async function sendAndFinish(
  subject: Subject,
  observer: Observer,
  ids: readonly string[],
  send: () => Promise<readonly Acknowledgement[]>,
) {
  const { runs: observed, finished } = observer.expect(ids.length, 120_000);
  const cpuBefore = sumCpu(subject);
  const began = monotonicMs();
  const [answers] = await Promise.all([send(), finished]);
  const elapsed = [...observed.values()].reduce((last, run) => Math.max(last, run.doneAt ?? Number.NaN), 0) - began;
  const cpuMs = sumCpu(subject) - cpuBefore;
  assertOnce(ids, observed);
  return { began, elapsed, cpuMs, answers, observed };
}

function assertOnce(ids: readonly string[], observed: ReadonlyMap<string, Observation>): void {
  const wrong = ids.filter((id) => observed.get(id)?.dones !== 1 || (observed.get(id)?.firsts ?? 0) > 1);
  if (wrong.length > 0) throw new Error(`${wrong.length} of ${ids.length} runs were lost or ran twice`);
}

function countRefused(answers: readonly Acknowledgement[]): number {
  return answers.reduce((sum, answer) => sum + answer.refused, 0);
}

function sumCpu(subject: Subject): number {
  return subject.pids.reduce((sum, pid) => sum + readCpuMs(pid), 0);
}

// Sixteen hex digits, as Alertmanager's fingerprints.
function createIds(count: number): readonly string[] {
  const prefix = randomBytes(4).toString("hex");
  return Array.from({ length: count }, (_, index) => prefix + index.toString(16).padStart(8, "0"));
}
