import { createAdminRoutes } from "../alerts/admin-routes.ts";
import { createIntake } from "../alerts/create-intake.ts";
import { countNotification } from "../alerts/metrics.ts";
import type { RunGuards } from "../alerts/prepare-run.ts";
import { createDecisionLog } from "../alerts/redis-decision-log.ts";
import { createAcceptStore, createRunbookBytes } from "../alerts/redis-store.ts";
import { createRejectedSamples } from "../alerts/rejected-samples.ts";
import { createDecisionRoutes } from "../alerts/routes.ts";
import type { AcceptStore } from "../alerts/store.ts";
import { createWebhook } from "../alerts/webhook.ts";
import { withDecisionLog } from "../alerts/with-decision-log.ts";
import { createLangfuseWebhook } from "../integrations/langfuse/langfuse-webhook.ts";
import type { RunbookBytes } from "../runbooks/runbook-bytes.ts";
import { acceptOnFitStore } from "./on-fit-store.ts";
import { startAlertPoll } from "./open-alertmanagers.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Where runs are accepted, those of alerts and those that people start. */
export interface RunAcceptance {
  readonly store: AcceptStore;
  readonly bytes: RunbookBytes;
}

/** Every way in which an alert comes in: the webhooks, and the poll of what no webhook brought. */
export function registerAlerts(
  runtime: Runtime,
  { redis, wakeQueue, publish }: Pick<ServerShared, "redis" | "wakeQueue" | "publish">,
  guards: RunGuards,
): Registration & RunAcceptance {
  const { config, clock, log, metrics, ids, library, redaction } = runtime;
  const bytes = createRunbookBytes(redis);
  const store = acceptOnFitStore(
    createAcceptStore(redis, {
      now: () => clock.now(),
      bytes,
      replicas: config.replicas,
      frozen: async () => runtime.freezeFile?.standing(),
    }),
    runtime.store,
  );
  const samples = createRejectedSamples();
  const decisions = createDecisionLog(redis, clock);
  const intake = withDecisionLog(createIntake({ store, bytes, wakeQueue, library, guards, clock, ids, publish }), {
    decisions,
    clock,
    ids,
    redact: (text) => redaction.apply(text),
  });
  const webhook = createWebhook({
    intake,
    tokens: config.webhookTokens,
    samples,
    onTruncated: startAlertPoll(runtime, { intake, redis }),
    answered: (status, seconds) => countNotification(metrics, status, seconds),
    clock,
    log,
    closing: runtime.ending.signal,
    storeGate: runtime.store,
  });
  return {
    store,
    bytes,
    routes: [...createAdminRoutes(samples), ...createDecisionRoutes(decisions)],
    endpoints: [webhook, createLangfuseWebhook({ intake, secret: config.langfuseWebhookSecret, clock, log })],
  };
}
