import type { HealthCheck } from "../../packages/sdk/src/wire/service.ts";
import type { PrometheusReader } from "../core/prometheus.ts";
import { createHealthRoutes } from "../platform/http/health-routes.ts";
import { unfitReason } from "../platform/redis/judge-store.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { createWatchdogRecord } from "../runs/redis-watchdog.ts";
import { openAlertmanagers } from "./open-alertmanagers.ts";
import { openPrometheus } from "./open-prometheus.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

const timeoutMs = 2000;
const freshMs = 10_000;
/** A run that is due and that no worker has taken for this long. */
const lateRunMs = 30_000;
/** The watchdog fires every other minute; the alert RunbookdWatchdogLate fires later than this. */
const lateWatchdogMs = 10 * 60_000;

type Checked = Pick<HealthCheck, "state" | "detail">;

/** Registers the health line of the console. */
export function registerHealth(runtime: Runtime, { redis }: Pick<ServerShared, "redis">): Registration {
  const { clock, config, store } = runtime;
  const prometheus = openPrometheus(runtime);
  const alertmanagers = openAlertmanagers(runtime);
  const watchdog = createWatchdogRecord(redis);

  const checkRedis = async (): Promise<Checked> => {
    await redis.ping();
    const reason = unfitReason(store.judgement());
    return reason === undefined ? { state: "ok", detail: "Redis answers." } : { state: "bad", detail: reason };
  };
  const checkRuns = async (): Promise<Checked> => {
    const [, score] = await redis.zrange(runKeys.due, "0", "0", "WITHSCORES");
    const lagMs = score === undefined ? 0 : clock.now() - Number(score);
    return lagMs > lateRunMs
      ? { state: "bad", detail: `A run has waited ${seconds(lagMs)} for a worker. Is \`runbookd worker\` running?` }
      : { state: "ok", detail: "No run waits for a worker." };
  };
  const checkWatchdog = async (): Promise<Checked> => {
    const at = await watchdog.lastPassedAt();
    if (at === undefined) return { state: "unknown", detail: "The watchdog has never come through: `runbookd doctor` examines its route." };
    const age = Math.max(0, clock.now() - at);
    return age > lateWatchdogMs / config.timeFactor
      ? { state: "bad", detail: `The watchdog last came through ${seconds(age)} ago: alerts may not reach runbookd.` }
      : { state: "ok", detail: `The watchdog came through ${seconds(age)} ago.` };
  };
  const checkAlertmanagers = async (): Promise<Checked> => {
    if (alertmanagers.length === 0) return { state: "unknown", detail: "No Alertmanager is configured (ALERTMANAGER_URL)." };
    const answers = await Promise.all(alertmanagers.map(async (client) => client.status(clock.timeout(timeoutMs)).catch(() => undefined)));
    const up = answers.filter((status) => status !== undefined).length;
    return { state: up === answers.length ? "ok" : "bad", detail: `${up} of ${answers.length} Alertmanagers answer.` };
  };

  const check = async (name: HealthCheck["name"], run: () => Promise<Checked>): Promise<HealthCheck> => {
    const unseen: Checked = {
      state: name === "redis" ? "bad" : "unknown",
      detail: `${name === "redis" ? "Redis" : `The state of ${name}`} could not be read.`,
    };
    return { name, ...(await run().catch(() => unseen)) };
  };

  let last: { readonly at: number; readonly checks: Promise<readonly HealthCheck[]> } | undefined;
  const checks = async () => {
    const now = clock.monotonic();
    if (last === undefined || now - last.at > freshMs) {
      const all = Promise.all([
        check("redis", checkRedis),
        check("runs", checkRuns),
        check("watchdog", checkWatchdog),
        check("prometheus", async () => checkPrometheus(prometheus, runtime)),
        check("alertmanagers", checkAlertmanagers),
      ]);
      last = { at: now, checks: all };
    }
    return last.checks;
  };
  return { routes: createHealthRoutes(checks) };
}

async function checkPrometheus(prometheus: PrometheusReader, { clock, config }: Pick<Runtime, "clock" | "config">): Promise<Checked> {
  if (config.prometheus === undefined) return { state: "unknown", detail: "No Prometheus is configured (PROMETHEUS_URL)." };
  const asked = clock.monotonic();
  const answer = await prometheus.query("vector(1)", { signal: clock.timeout(timeoutMs) });
  return answer.kind !== "samples"
    ? { state: "bad", detail: "Prometheus does not answer: `runbookd doctor` says why." }
    : { state: "ok", detail: `Prometheus answers in ${Math.max(1, Math.round(clock.monotonic() - asked))} ms.` };
}

function seconds(ms: number): string {
  const length = Math.round(ms / 1000);
  return length < 120 ? `${length} s` : `${Math.round(length / 60)} min`;
}
