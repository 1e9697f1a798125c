import { join, resolve } from "node:path";
import { createAdminRoutes } from "../alerts/admin-routes.ts";
import { createIntake } from "../alerts/create-intake.ts";
import { countNotification } from "../alerts/metrics.ts";
import type { RunCandidate } from "../alerts/prepare-run.ts";
import { createRecentDecisions } from "../alerts/recent-decisions.ts";
import { createAcceptStore, createRunbookBytes } from "../alerts/redis-store.ts";
import { createRejectedSamples } from "../alerts/rejected-samples.ts";
import { createDecisionRoutes } from "../alerts/routes.ts";
import { createWebhook } from "../alerts/webhook.ts";
import { createAnswerPage } from "../approvals/answer-page.ts";
import { groupedDesk } from "../approvals/grouped-desk.ts";
import { observeQuestions } from "../approvals/metrics.ts";
import { createQuestionDesk } from "../approvals/redis-store.ts";
import { createApprovalRoutes } from "../approvals/routes.ts";
import { auditedBatches, auditedControl, auditedDesk, auditedFreezes } from "../audit/audited.ts";
import { createAuditReader } from "../audit/redis-audit-reader.ts";
import { createAuditLog } from "../audit/redis-store.ts";
import { createAuditRoutes } from "../audit/routes.ts";
import type { Risk } from "../core/action.ts";
import type { Doorbell } from "../core/doorbell.ts";
import { limitsOf } from "../core/limits.ts";
import { createFreezeDesk, freezeCondition } from "../freeze/create-freeze-desk.ts";
import type { FreezeDesk } from "../freeze/freeze-desk.ts";
import { createFreezeRoutes } from "../freeze/routes.ts";
import { cooldown } from "../guardrails/cooldown.ts";
import { combineVerdicts, guardrailNames } from "../guardrails/evaluate-guardrails.ts";
import { runRate } from "../guardrails/run-rate.ts";
import { createLangfuseWebhook } from "../integrations/langfuse/langfuse-webhook.ts";
import { observeBatches } from "../llm/batches/metrics.ts";
import { createBatchRoutes } from "../llm/batches/routes.ts";
import { createWorkloadRoutes } from "../llm/budgets/admission-routes.ts";
import { observeBudgets } from "../llm/budgets/metrics.ts";
import { createBudgetRoutes } from "../llm/budgets/routes.ts";
import { createCacheFindings } from "../llm/caching/cache-board.ts";
import { observeCaches } from "../llm/caching/metrics.ts";
import { createCacheBoard } from "../llm/caching/redis-store.ts";
import { createCacheRoutes } from "../llm/caching/routes.ts";
import { withRouteChanges } from "../llm/changes/change-log.ts";
import { createChangeRoutes } from "../llm/changes/routes.ts";
import { createCostRoutes } from "../llm/cost/routes.ts";
import { createFindingNotes } from "../llm/findings/redis-store.ts";
import { createCanaryStore } from "../llm/prompts/redis-store.ts";
import { createPromptRoutes } from "../llm/prompts/routes.ts";
import { observeRoutes } from "../llm/routing/metrics.ts";
import { createModelRouteStore } from "../llm/routing/redis-store.ts";
import { createModelRoutes } from "../llm/routing/routes.ts";
import { observeTickets } from "../llm/tickets/metrics.ts";
import { createTicketRoutes } from "../llm/tickets/routes.ts";
import { createPrefixSampleStore } from "../llm/usage/redis-prefix-samples.ts";
import { adminTokenPath, tokenFilePath } from "../platform/config/data-folder.ts";
import { createApp } from "../platform/http/create-app.ts";
import { createHttpServer, type HttpServer } from "../platform/http/create-http-server.ts";
import { createDescription } from "../platform/http/openapi.ts";
import { createProbes } from "../platform/http/probes.ts";
import type { Readiness } from "../platform/http/readiness.ts";
import { createTokenFile } from "../platform/http/token-file.ts";
import { untilReady } from "../platform/redis/connection.ts";
import { withReports } from "../reports/with-reports.ts";
import { createRunbookRoutes } from "../runbooks/routes.ts";
import { createRunControl } from "../runs/create-run-control.ts";
import { observeDamagedRuns, observeWakeQueue, observeWatchdog } from "../runs/metrics.ts";
import { createDamagedRuns } from "../runs/redis-damaged-runs.ts";
import { createRunNotices } from "../runs/redis-run-notices.ts";
import { createRunReader } from "../runs/redis-run-reader.ts";
import { createWatchdogRecord } from "../runs/redis-watchdog.ts";
import { createRunRoutes } from "../runs/routes.ts";
import { createWakeQueue } from "../runs/wake-queue.ts";
import { actionCatalogue } from "./action-registry.ts";
import { startAlertPoll } from "./open-alertmanagers.ts";
import { openBatches } from "./open-batches.ts";
import { openPrompts } from "./open-prompts.ts";
import type { Runtime, RuntimeSources } from "./runtime.ts";
import { recordTokenChanges, type WatchTokensDeps } from "./watch-tokens.ts";
import { createWorkloadRecorder } from "./workload-recorder.ts";

/** A ticket that is code work beats at least once a minute; see docs/tickets.md. */
const stalledAfterMs = 120_000;

/** A running server. */
export interface ServerProcess {
  readonly server: HttpServer;
  /** File with the first admin token in plain text, when it was made just now. */
  readonly adminTokenFile: string | undefined;
}

/** Starts what listens: the webhook and the API. `near`: how a worker in the same process shortens the way of a ring. */
export async function startServer(
  runtime: Runtime,
  sources: RuntimeSources,
  near: (far: Doorbell) => Doorbell = (far) => far,
): Promise<ServerProcess> {
  const { config, clock, log, metrics, closers, ids, library } = runtime;
  const redis = runtime.connect("request");
  await untilReady(redis, clock);
  const queueError = (error: Error) => log.warn({ error }, "The queue reports an error.");
  const queueConnection = runtime.connect("request");
  // BullMQ asks for the server's version when it is built, and a connection of this kind does not queue.
  await untilReady(queueConnection, clock);
  const wakeQueue = createWakeQueue(queueConnection, queueError);
  closers.add("wake queue", async () => wakeQueue.close());
  const doorbell = near(wakeQueue);

  const bytes = createRunbookBytes(redis);
  const store = createAcceptStore(redis, {
    now: () => clock.now(),
    bytes,
    replicas: config.replicas,
    frozen: async () => runtime.freezeFile?.standing(),
  });
  const freezes = createFreezeDesk(runtime.freezes, runtime.freezeFile, log);
  const reader = withReports(createRunReader(redis, clock), {
    budgets: runtime.ledger,
    catalogue: actionCatalogue,
    publicUrl: config.publicUrl,
  });
  const audit = createAuditLog(redis, clock);
  const desk = auditedDesk(groupedDesk(createQuestionDesk(redis, doorbell, clock)), { audit, clock });
  const control = auditedControl(
    createRunControl({
      store,
      bytes,
      notices: createRunNotices(redis),
      damaged: createDamagedRuns(redis),
      doorbell,
      reader,
      library,
      ids,
      clock,
    }),
    { audit, clock },
  );
  const samples = createRejectedSamples();
  const decisions = createRecentDecisions();
  const intake = createIntake({
    store,
    bytes,
    doorbell,
    library,
    guards: (candidate, facts) =>
      combineVerdicts([cooldown(candidate, facts), runRate(startOf(candidate), limitsOf(config.guardrails, candidate.limits))]),
    clock,
    ids,
    observer: {
      decided(decision, source) {
        // Every look repeats what is known; only what begins by it is told, and it has a metric of its own.
        if (source === "poll" && decision.decision !== "enqueued") return;
        if (source === "webhook") metrics.alerts.inc({ decision: decision.decision });
        if (decision.guardrail !== undefined) metrics.refusals.inc({ guardrail: decision.guardrail });
        decisions.keep({ ...decision, source, at: clock.now() });
        log.info({ ...decision, source }, "An alert was decided.");
      },
    },
  });
  const pollNow = startAlertPoll(runtime, { intake, redis });
  const { ledger, tickets } = runtime;
  const caches = createCacheBoard(redis);
  const notes = createFindingNotes(redis);
  const prefixes = createPrefixSampleStore(redis);
  const modelRoutes = withRouteChanges(createModelRouteStore({ redis, clock }), runtime.changeNotes);
  const recorder = createWorkloadRecorder(metrics);
  const { batches, control: batchControl } = await openBatches(runtime, { redis, observer: recorder });
  const folder = resolve(sources.workingDirectory, config.dataFolder);
  const tokens = createTokenFile(tokenFilePath(folder), runtime);
  const adminTokenFile = adminTokenPath(folder);
  watchTokens(runtime, { tokens, audit, seenPath: join(folder, "tokens.audited.json"), clock });
  const isFirst = (await tokens.createFirstAdmin(adminTokenFile)) !== undefined;

  const routes = [
    ...createRunRoutes({ reader, control }),
    ...createApprovalRoutes({ desk, clock }),
    ...createRunbookRoutes(library),
    ...createAdminRoutes(samples),
    ...createDecisionRoutes(decisions),
    ...createFreezeRoutes({ desk: auditedFreezes(freezes, { audit, clock }), clock }),
    ...createAuditRoutes(createAuditReader(redis, () => clock.now())),
    ...createWorkloadRoutes({
      ledger,
      prices: runtime.prices,
      observer: recorder,
      prefixes: {
        samples: prefixes,
        redact: (text) => runtime.redaction.apply(text),
        lost: (error) => log.warn({ error }, "Prefixes of prompts could not be kept; their usage was counted."),
      },
      clock,
    }),
    ...createCostRoutes({ ledger, prices: runtime.prices, changes: runtime.changeNotes.changes }),
    ...createChangeRoutes(runtime.changeNotes),
    ...createCacheRoutes({ board: caches, samples: prefixes, ledger, findings: [createCacheFindings(caches)], notes, audit, clock }),
    ...createBudgetRoutes({ ledger, clock }),
    ...createPromptRoutes({ prompts: openPrompts(runtime, redis), canaries: createCanaryStore(redis), audit, clock, caches }),
    ...createModelRoutes({ routes: modelRoutes, audit, clock }),
    ...createBatchRoutes({
      ledger,
      batches,
      control: auditedBatches(batchControl, { audit, clock }),
      tickets,
      doorbell: runtime.ticketQueue,
      clock,
    }),
    ...createTicketRoutes({ tickets }),
  ];
  const closing = runtime.ending.signal;
  const endpoints = [
    createWebhook({
      intake,
      tokens: config.webhookTokens,
      samples,
      onTruncated: pollNow,
      answered: (status, seconds) => countNotification(metrics, status, seconds),
      clock,
      log,
      closing,
    }),
    createLangfuseWebhook({ intake, secret: config.langfuseWebhookSecret, clock, log }),
    ...createProbes({ readiness: createReadiness(runtime, freezes, async () => redis.ping()), closing }),
    ...createAnswerPage(),
  ];
  const app = createApp({
    routes,
    endpoints: [...endpoints, createDescription(routes, endpoints)],
    tokens,
    publicUrl: config.publicUrl,
    log,
    clock,
    closing,
  });
  const server = await createHttpServer(app, { host: config.host, port: config.port }, clock);
  closers.add("http listener", async () => server.close());
  metrics.initialiseGuardrails(guardrailNames);
  metrics.initialiseRunbooks(library.list().map(({ id }) => id));
  observeQuestions(metrics, desk);
  observeDamagedRuns(metrics, createDamagedRuns(redis));
  observeWatchdog(metrics, createWatchdogRecord(redis), clock);
  observeRoutes(metrics, modelRoutes);
  observeCaches(metrics, caches, notes);
  observeBudgets(metrics, ledger);
  observeTickets(metrics, { tickets, clock, stalledAfterMs: stalledAfterMs / config.timeFactor });
  observeBatches(metrics, { batches, budgets: ledger });
  observeWakeQueue(metrics, wakeQueue);
  log.info({ host: server.address.host, port: server.address.port }, "The server is ready.");
  return { server, adminTokenFile: isFirst ? adminTokenFile : undefined };
}

const watchTokensEveryMs = 5000;

/** A look that fails is made again: the file or Redis may be away for a while. */
function watchTokens({ log, closers, clock }: Runtime, deps: WatchTokensDeps): void {
  let looking: Promise<void> | undefined;
  const look = () => {
    looking ??= recordTokenChanges(deps)
      .catch((error: unknown) => log.warn({ error }, "Changes of tokens could not be recorded; they will be."))
      .finally(() => (looking = undefined));
  };
  const watching = clock.every(watchTokensEveryMs, look);
  closers.add("token watch", async () => {
    watching.stop();
    await looking;
  });
}

function startOf({ runbookId, actions }: RunCandidate): { readonly runbookId: string; readonly risks: readonly Risk[] } {
  const risks = actions.flatMap(({ name, parameters }) => {
    const known = actionCatalogue.find(name);
    return known === undefined ? [] : [known.effectOf(parameters) === "read" ? ("none" as const) : known.risk];
  });
  return { runbookId, risks };
}

function createReadiness({ library }: Runtime, freezes: FreezeDesk, ping: () => Promise<unknown>): Readiness {
  return {
    async conditions() {
      const redis = await ping().then(
        () => ({ name: "redis", ok: true }),
        () => ({ name: "redis", ok: false, detail: "Redis does not answer." }),
      );
      const loaded = library.list().filter(({ runbook }) => runbook !== undefined).length;
      return [
        redis,
        await freezeCondition(freezes),
        { name: "runbooks", ok: loaded > 0, ...(loaded === 0 && { detail: "No good runbook was found." }) },
      ];
    },
  };
}
