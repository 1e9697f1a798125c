import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packageFolder } from "../src/cli/process-context.ts";
import { parseRecord } from "../src/core/journal.ts";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { runKeys } from "../src/platform/redis/run-keys.ts";
import { type Acknowledgement, sendAll, sendPaced } from "./load.ts";
import { readCpuMs, readMemoryMb } from "./process-usage.ts";
import { createWorkFolder, type Program, startProgram, startRedis } from "./programs.ts";
import { quantile } from "./statistics.ts";

const usage = `Usage: npm run bench:storm -- [--alerts N] [--seconds S]

Sends N (10,000) different alerts in groups of 50 within S (60) seconds to \`runbookd server\` while \`runbookd worker\` carries out their
runs, then the same alerts again as fast as they are answered. --seconds 0 sends all as fast as they are answered, sixteen at a time.
Fails when a run is lost, a duplicate starts a run, or more runs are in work than are permitted.
`;

const token = "storm-0123456789abcdef";
const groupSize = 50;
const concurrency = 20;

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      alerts: { type: "string", default: "10000" },
      seconds: { type: "string", default: "60" },
      help: { type: "boolean", default: false },
    },
  });
  const [alerts, within] = [Number(values.alerts), Number(values.seconds)];
  const isFine = Number.isInteger(alerts) && alerts >= 1 && alerts <= 100_000 && within >= 0 && within <= 600;
  if (values.help || !isFine) {
    process.stdout.write(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  process.exitCode = (await storm(alerts, within)) ? 0 : 1;
}

async function storm(alerts: number, within: number): Promise<boolean> {
  using folder = createWorkFolder();
  await using redisServer = await startRedis(folder.path, "always");
  const runbooks = join(folder.path, "runbooks");
  mkdirSync(runbooks);
  copyFileSync(join(packageFolder(), "bench/storm.md"), join(runbooks, "storm.md"));
  // What a storm may do is another question: the limits of runs are lifted, that of runs in work at once is not.
  writeFileSync(join(folder.path, "runbookd.yml"), "guardrails: { runs_per_hour: 1000000, runs_per_hour_runbook: 1000000 }\n");
  const env = {
    REDIS_URL: `unix://${redisServer.socketPath}`,
    RUNBOOKD_PORT: "0",
    RUNBOOKD_METRICS_PORT: "0",
    RUNBOOKD_RUNBOOKS: runbooks,
    RUNBOOKD_DATA: folder.path,
    RUNBOOKD_WEBHOOK_TOKEN: token,
    RUNBOOKD_LOG_LEVEL: "silent",
    RUNBOOKD_CONCURRENCY: String(concurrency),
  };
  const cli = join(packageFolder(), "dist/src/cli/main.js");
  const start = (command: string): ReturnType<typeof startProgram> =>
    startProgram(process.execPath, [cli, command, "--json"], /"metrics":/, env, folder.path);
  await using server = await start("server");
  await using worker = await start("worker");
  const port = Number(/"api":"http:\/\/[^"]*:(\d+)"/.exec(server.output)?.[1]);
  const redis = connectRedis({ socketPath: redisServer.socketPath }, "worker");
  const watch = watchMemory({ server, worker, redis: redisServer });
  const cpu = { server: readCpuMs(server.pid), worker: readCpuMs(worker.pid), redis: readCpuMs(redisServer.pid) };
  const ids = Array.from({ length: alerts }, (_, index) => index.toString(16).padStart(16, "0"));
  const groups = Array.from({ length: Math.ceil(alerts / groupSize) }, (_, at) => ids.slice(at * groupSize, (at + 1) * groupSize));

  const began = performance.now();
  const target = { port, token };
  const first = within === 0 ? await sendAll(target, groups, 16) : await sendPaced(target, groups, groups.length / within);
  const acknowledged = performance.now() - began;
  await untilIdle(redis);
  const finished = performance.now() - began;
  const cpuDistinct = readCpuMs(server.pid) - cpu.server;
  const again = performance.now();
  const second = await sendAll(target, groups, 16);
  const duplicatesTook = performance.now() - again;
  const cpuDuplicates = readCpuMs(server.pid) - cpu.server - cpuDistinct;
  await untilIdle(redis);
  const peaks = watch.stop();
  const found = await readRuns(redis);
  redis.disconnect();

  const lost = ids.filter((id) => !found.fingerprints.has(id)).length;
  const lines: readonly (readonly [string, string])[] = [
    [
      "different alerts",
      `${alerts} in POSTs of ${groupSize}, ${within === 0 ? "as fast as they are answered" : `spread over ${within} s`}`,
    ],
    ["  all answered 202 after", `${seconds(acknowledged)} s, p50 ${ack(first, 0.5)} ms, p99 ${ack(first, 0.99)} ms a POST`],
    ["  answered 503 and sent again", String(refusals(first))],
    ["  all runs ended after", `${seconds(finished)} s`],
    ["the same alerts again", `${seconds(duplicatesTook)} s, p50 ${ack(second, 0.5)} ms, p99 ${ack(second, 0.99)} ms a POST`],
    ["alerts without a run", String(lost)],
    ["runs", `${found.runs}, of them ended ${found.ended}, succeeded ${found.succeeded}`],
    ["runs that a duplicate started", String(found.runs - (alerts - lost))],
    ["most runs in work at once", `${found.mostAtOnce} (limit ${concurrency})`],
    ["server", `peak ${peaks.server} MB, ${cpuDistinct} ms CPU for the storm, ${cpuDuplicates} ms for the duplicates`],
    ["worker", `peak ${peaks.worker} MB, ${readCpuMs(worker.pid) - cpu.worker} ms CPU`],
    ["redis", `peak ${peaks.redis} MB, ${readCpuMs(redisServer.pid) - cpu.redis} ms CPU`],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  process.stdout.write(lines.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join(""));
  const isSound = lost === 0 && found.runs === alerts && found.ended === found.runs && found.mostAtOnce <= concurrency;
  process.stdout.write(isSound ? "\nNothing was lost.\n" : "\nNot every promise held.\n");
  return isSound;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function ack(answers: readonly Acknowledgement[], q: number): string {
  return quantile(
    answers.map(({ sentAt, acknowledgedAt }) => acknowledgedAt - sentAt),
    q,
  ).toFixed(0);
}

function refusals(answers: readonly Acknowledgement[]): number {
  return answers.reduce((sum, { refused }) => sum + refused, 0);
}

type Peaks = Readonly<Record<"server" | "worker" | "redis", number>>;

function watchMemory(programs: Readonly<Record<keyof Peaks, Pick<Program, "pid">>>): { stop(): Peaks } {
  const peaks = { server: 0, worker: 0, redis: 0 };
  const look = (): void => {
    for (const name of ["server", "worker", "redis"] as const) peaks[name] = Math.max(peaks[name], readMemoryMb(programs[name].pid));
  };
  const timer = setInterval(look, 200);
  return {
    stop() {
      clearInterval(timer);
      look();
      return peaks;
    },
  };
}

const idleWithinMs = 300_000;

async function untilIdle(redis: ReturnType<typeof connectRedis>): Promise<void> {
  const deadline = performance.now() + idleWithinMs;
  while ((await redis.scard(runKeys.openRuns)) > 0) {
    if (performance.now() > deadline) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function readRuns(redis: ReturnType<typeof connectRedis>) {
  const ids = await redis.zrange(runKeys.runs, "0", "-1");
  const fingerprints = new Set<string>();
  const edges: { readonly at: number; readonly step: number }[] = [];
  let ended = 0;
  let succeeded = 0;
  for (const id of ids) {
    for (const entry of (await redis.lrange(runKeys.journal(id), "0", "-1")).flatMap(parseRecord)) {
      if (entry.kind === "accepted") fingerprints.add(entry.request.alert?.fingerprint ?? "");
      if (entry.kind === "claimed") edges.push({ at: entry.at, step: 1 });
      if (entry.kind !== "finished") continue;
      edges.push({ at: entry.at, step: -1 });
      ended += 1;
      if (entry.outcome === "succeeded") succeeded += 1;
    }
  }
  // Within one millisecond what ends makes room for what begins.
  edges.sort((a, b) => a.at - b.at || a.step - b.step);
  let running = 0;
  let mostAtOnce = 0;
  for (const { step } of edges) mostAtOnce = Math.max(mostAtOnce, (running += step));
  return { runs: ids.length, fingerprints, ended, succeeded, mostAtOnce };
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
await main(process.argv.slice(2));
