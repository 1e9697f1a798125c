import type { Redis } from "ioredis";
import type { Intake } from "../alerts/create-intake.ts";
import { createPollEventSink } from "../alerts/metrics.ts";
import { startPoll } from "../alerts/poll.ts";
import { createOpenAlerts } from "../alerts/redis-open-alerts.ts";
import { alertmanagerSettlesMs, createAlertStanding } from "../integrations/alertmanager/create-alert-standing.ts";
import { type AlertmanagerClient, createAlertmanagerClient } from "../integrations/alertmanager/create-alertmanager-client.ts";
import type { AlertStanding } from "../runs/engine/alert-standing.ts";
import type { Runtime } from "./runtime.ts";

/** A client for each configured Alertmanager, closed at the end. */
export function openAlertmanagers({
  config,
  clock,
  closers,
}: Pick<Runtime, "config" | "clock" | "closers">): readonly AlertmanagerClient[] {
  return config.alertmanagers.map((endpoint) => {
    const client = createAlertmanagerClient({ ...endpoint, clock });
    closers.add("alertmanager client", async () => client.close());
    return client;
  });
}

/** How long an Alertmanager must have been up before what it does not hold counts as gone. */
function settlesMs({ config }: Pick<Runtime, "config">): number {
  return alertmanagerSettlesMs / config.timeFactor;
}

/** For the pre-flight of runs; nothing when no Alertmanager is configured. */
export function openStanding(runtime: Runtime): { readonly standing?: AlertStanding } {
  const clients = openAlertmanagers(runtime);
  if (clients.length === 0) return {};
  return { standing: createAlertStanding(clients, { clock: runtime.clock, settlesMs: settlesMs(runtime) }) };
}

const pollEveryMs = 60_000;
const pollGraceMs = 30_000;
const pollMinIntervalMs = 5_000;

/** Looks for what webhooks missed; answers how to make it look now. Nothing to look at: nothing happens. */
export function startAlertPoll(runtime: Runtime, { intake, redis }: { readonly intake: Intake; readonly redis: Redis }): () => void {
  const { config, clock, log, metrics, library, closers } = runtime;
  const clients = openAlertmanagers(runtime);
  if (clients.length === 0) return () => undefined;
  const divided = (ms: number, minMs: number) => Math.max(minMs, ms / config.timeFactor);
  const poll = startPoll({
    alertmanagers: clients.map((client, index) => ({ ...client, name: hostOf(config.alertmanagers[index]?.url ?? "") })),
    intake,
    open: createOpenAlerts(redis),
    match: (labels) => library.match(labels)?.id,
    triggers: () => library.list().flatMap(({ runbook }) => runbook?.triggers.map(({ matchers }) => matchers) ?? []),
    clock,
    everyMs: divided(pollEveryMs, 1000),
    graceMs: divided(pollGraceMs, 5000),
    settlesMs: settlesMs(runtime),
    minIntervalMs: divided(pollMinIntervalMs, 200),
    drain: runtime.ending.signal,
    publish: createPollEventSink(metrics, () => clock.now()),
    log,
  });
  closers.add("alert poll", async () => poll.close());
  return () => poll.trigger();
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "unknown";
}
