import { mkdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { Clock } from "../src/core/clock.ts";
import { formatDuration } from "../src/core/duration.ts";
import { findProgram } from "./find-program.ts";
import type { ProcessGroup, StartedProcess } from "./process-group.ts";
import { waitUntil } from "./wait-until.ts";

/** Where things are and how they are started. */
export interface ServiceContext {
  readonly group: ProcessGroup;
  readonly clock: Clock;
  readonly projectRoot: string;
  /** The demo's own folder: data, rendered configuration, logs. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

const startMs = 120_000;

/** Waits until `look` is true, and fails at once with the log's end when the process is gone. */
export async function waitForProcess(context: ServiceContext, started: StartedProcess, isReady: () => Promise<boolean>): Promise<void> {
  const gone = started.gone.then((how): never => {
    throw new Error(`${started.name} ${how}. The end of ${started.logFile}:\n${started.tail()}`);
  });
  const ready = waitUntil(
    context.clock,
    `${started.name} was not ready (its log: ${started.logFile})`,
    async () => ((await isReady()) ? true : undefined),
    { withinMs: startMs, everyMs: 50, signal: context.signal },
  );
  await Promise.race([ready, gone]);
}

/** True when the URL answers with a 2xx. */
export async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  await response.arrayBuffer();
  return response.ok;
}

function redisAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const end = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(1000, () => end(false));
    socket.once("error", () => end(false));
    socket.once("connect", () => socket.write("PING\r\n"));
    socket.once("data", (data) => end(data.toString("utf8").startsWith("+PONG")));
  });
}

/** Redis as the product demands it: every write on disk before it is answered, nothing evicted. Resolves with its URL. */
export async function startRedis(context: ServiceContext, port: number): Promise<string> {
  const program = findProgram("redis-server", "valkey-server");
  const folder = join(context.folder, "redis");
  await mkdir(folder, { recursive: true });
  const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--daemonize", "no", "--loglevel", "warning"];
  const durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction"];
  const started = context.group.start({ name: "redis", program, args: [...place, ...durable] });
  await waitForProcess(context, started, () => redisAnswers(port));
  return `redis://127.0.0.1:${port}`;
}

/** Prometheus with the rendered configuration; what its flags measure in time is divided like everything else. Resolves with its URL. */
export async function startPrometheus(context: ServiceContext, port: number, configFile: string, factor: number): Promise<string> {
  const program = findProgram("prometheus");
  const url = `http://127.0.0.1:${port}`;
  const started = context.group.start({
    name: "prometheus",
    program,
    args: [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(context.folder, "prometheus")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--query.lookback-delta=${formatDuration(300_000 / factor)}`,
      `--rules.alert.resend-delay=${formatDuration(60_000 / factor)}`,
      "--log.level=warn",
    ],
  });
  await waitForProcess(context, started, () => answers(`${url}/-/ready`));
  return url;
}

/** Alertmanager with the rendered configuration and without a cluster. Resolves with its URL. */
export async function startAlertmanager(context: ServiceContext, port: number, configFile: string): Promise<string> {
  const program = findProgram("prometheus-alertmanager", "alertmanager");
  const url = `http://127.0.0.1:${port}`;
  const started = context.group.start({
    name: "alertmanager",
    program,
    args: [
      `--config.file=${configFile}`,
      `--storage.path=${join(context.folder, "alertmanager")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--cluster.listen-address=",
      "--log.level=warn",
    ],
  });
  await waitForProcess(context, started, () => answers(`${url}/-/ready`));
  return url;
}
