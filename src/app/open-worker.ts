import { hostname } from "node:os";
import type { Redis } from "ioredis";
import { createRunbookBytes } from "../alerts/redis-store.ts";
import { createAnnouncer } from "../approvals/announce-question.ts";
import { isTestAlert } from "../core/alert.ts";
import type { Outbox } from "../core/outbox.ts";
import type { PrometheusReader } from "../core/prometheus.ts";
import { cooldownBucket, cooldownWindowMs } from "../guardrails/cooldown.ts";
import { guardSteps } from "../guardrails/guard-steps.ts";
import { createGuardMemory } from "../guardrails/redis-store.ts";
import { createHttpEvaluator } from "../integrations/evaluator/create-http-evaluator.ts";
import { createHttpClient } from "../integrations/http/create-http-client.ts";
import { createBatchControl } from "../llm/batches/batch-control.ts";
import { createBatchStore } from "../llm/batches/redis-store.ts";
import type { CacheAnalysisStore } from "../llm/caching/cache-analysis-store.ts";
import { createCacheAnalysisStore } from "../llm/caching/redis-store.ts";
import { withBatchChanges } from "../llm/changes/change-log.ts";
import { createCostExplainer } from "../llm/cost/create-cost-explainer.ts";
import { createPromptRolloutStore } from "../llm/prompts/redis-store.ts";
import type { Evaluator } from "../llm/rollouts/evaluator.ts";
import { createEvaluationStore } from "../llm/rollouts/redis-evaluations.ts";
import { createRolloutStore } from "../llm/rollouts/redis-store.ts";
import { createStagedEvaluators } from "../llm/rollouts/staged-evaluation.ts";
import { createModelRoutingStore } from "../llm/routing/redis-store.ts";
import type { RecoveryPorts } from "../llm/tickets/recovery-ports.ts";
import { createRecipients } from "../notifications/create-recipients.ts";
import { createOutbox } from "../notifications/redis-store.ts";
import { withRedisMs } from "../platform/closers.ts";
import { createProcessView } from "../platform/process-identity.ts";
import { workloadKeys } from "../platform/redis/workload-keys.ts";
import { createBoundedSender, defaultRequestLimits } from "../platform/requests/bounded-request.ts";
import { createExecutor, type Executor, type ExecutorOptions } from "../runs/engine/execute-run.ts";
import type { MetricSource } from "../runs/engine/metric-source.ts";
import { createPinnedRunbooks } from "../runs/redis-pinned-runbooks.ts";
import { createRunJournal, type RedisRunJournal } from "../runs/redis-store.ts";
import { createWatchdogRecord } from "../runs/redis-watchdog.ts";
import { slotLeaseMs, takeWorkerSlot, type WorkerSlot } from "../runs/redis-worker-slot.ts";
import { actionCatalogue, createActions } from "./action-registry.ts";
import { journalOnFitStore } from "./on-fit-store.ts";
import { openStanding } from "./open-alertmanagers.ts";
import { openAttacks } from "./open-attacks.ts";
import { createCacheAnalysisReader } from "./open-cache-analysis-reader.ts";
import { openCodeHosts } from "./open-code-hosts.ts";
import { openDeployments } from "./open-deployments.ts";
import { openFeatures } from "./open-features.ts";
import { openModels } from "./open-models.ts";
import { openPostMortems } from "./open-post-mortems.ts";
import { openPrometheus } from "./open-prometheus.ts";
import { openPrompts } from "./open-prompts.ts";
import { openRouteHistory } from "./open-route-history.ts";
import { openShareControls } from "./open-share-controls.ts";
import { openCheckpoints, openCommands } from "./open-work.ts";
import { createWorkerSink } from "./product-event.ts";
import type { Runtime } from "./runtime.ts";
import { openAnalyst } from "./schedule-prompt-analysis.ts";

/** Lease of a run; another worker takes over at most this long, plus one sweep, after a worker died. */
const leaseMs = 6000;

/** A worker that has not begun to work: its name among all workers, and what its loops run on. */
export interface OpenWorker {
  readonly name: string;
  /** Whether the leases that an earlier process of this name left may be taken back at once. */
  readonly isPredecessorDead: boolean;
  readonly redis: Redis;
  readonly journal: RedisRunJournal;
  readonly executor: Executor;
  readonly outbox: Outbox;
  readonly prometheus: PrometheusReader;
  readonly analyst: ReturnType<typeof openAnalyst>;
  readonly cacheAnalysisStore: CacheAnalysisStore;
}

/** Takes a name and opens everything that carrying out runs needs; nothing runs yet. */
export async function openWorker(runtime: Runtime): Promise<OpenWorker> {
  const { config, clock, random, closers } = runtime;
  const redis = runtime.connect("worker");
  const slot = await takeWorkerSlot(redis, { host: hostname(), view: createProcessView(), nonce: random.uuid() });
  keepWorkerSlot(runtime, slot);
  const { name } = slot;

  const clockSetBack = async (byMs: number): Promise<void> => {
    runtime.log.warn({ byMs }, "The clock of Redis was set back; leases that would end later than one that begins now count as over.");
    await runtime.syncClock();
  };
  const journal = journalOnFitStore(
    createRunJournal(redis, { worker: name, leaseMs, nonce: () => random.uuid(), clock, replicas: config.replicas, clockSetBack }),
    runtime,
  );
  const prometheus = openPrometheus(runtime);
  const http = createHttpClient({ allow: config.httpAllow, clock });
  closers.add("http client", async () => http.close());
  const outbox = createOutbox(redis);
  const recipients = createRecipients(config.mail);
  const commands = openCommands(runtime);
  const batches = withBatchChanges(
    createBatchControl({ batches: createBatchStore({ redis, clock }), tickets: runtime.tickets, budgets: runtime.ledger, clock }),
    runtime.changeRecorder,
  );
  const analyst = openAnalyst(runtime, redis);
  const cacheAnalysisStore = createCacheAnalysisStore(redis);
  const { codeHosts, workflows } = openCodeHosts(runtime);
  const actions = createActions({
    budgets: runtime.ledger,
    costs: createCostExplainer({ ledger: runtime.ledger, prices: runtime.prices, changes: runtime.changeRecorder.changes }),
    batches,
    prometheus,
    http,
    outbox,
    recipients,
    commands,
    prompts: openPrompts(runtime, redis),
    rollouts: createPromptRolloutStore(redis),
    cache: createCacheAnalysisReader(analyst, cacheAnalysisStore),
    evaluator: openEvaluator(runtime),
    stagedEvaluators: config.ticketWork && createStagedEvaluators({ ...runtime, queue: runtime.ticketQueue }),
    evaluations: createEvaluationStore(redis),
    routes: createModelRoutingStore({ redis, clock }),
    models: openModels(runtime, redis),
    history: openRouteHistory({ ledger: runtime.ledger, tickets: runtime.tickets, clock, timeFactor: config.timeFactor }, analyst.samples),
    tickets: openRecoveryPorts(runtime),
    rolloutStore: createRolloutStore({ redis, clock }),
    shareControls: openShareControls(runtime, redis),
    ...openFeatures(runtime, redis, prometheus),
    codeHosts,
    ...openAttacks(runtime, redis),
    ...openPostMortems(runtime, redis),
    ...openDeployments(runtime, { commands, http, workflows }),
  });

  const memory = createGuardMemory(redis, clock);
  const executor = createExecutor(
    {
      journal,
      runbooks: createPinnedRunbooks(createRunbookBytes(redis), actionCatalogue),
      actions,
      guard: guardSteps(config, memory, { budget: async () => redis.scard(workloadKeys.budgets) }),
      metrics: metricSource(prometheus),
      ...openStanding(runtime),
      publish: createWorkerSink(runtime, { watchdog: createWatchdogRecord(redis), memory, actions }),
      freezes: async () => runtime.freezes.list(),
      frozen: async () => runtime.freezeFile?.standing(),
      announce: createAnnouncer({ outbox, recipients, clock }),
    },
    { clock, questionId: () => runtime.ids("q"), cooldownOf },
  );

  return { name, isPredecessorDead: slot.isPredecessorDead, redis, journal, executor, outbox, prometheus, analyst, cacheAnalysisStore };
}

/** Renews the name until the end. A process that has lost its name ends: another one may take back the runs that the name holds. */
function keepWorkerSlot({ clock, closers, ending, log }: Runtime, slot: WorkerSlot): void {
  const renew = async (): Promise<void> => {
    if (await slot.renew()) return;
    renewing.stop();
    log.error({ worker: slot.name }, "Another process has this worker's name, as its lease was not renewed in time; shutting down.");
    ending.abort();
  };
  const renewing = clock.every(slotLeaseMs / 5, () => void renew().catch(() => undefined));
  closers.add(
    "worker name",
    async () => {
      renewing.stop();
      await slot.free();
    },
    withRedisMs,
  );
}

/** The application's evaluator, when one is configured. */
function openEvaluator({ config, clock, closers }: Runtime): Evaluator | undefined {
  if (config.evaluator === undefined) return undefined;
  const sender = createBoundedSender(defaultRequestLimits, { clock, ca: config.evaluator.ca });
  closers.add("evaluator", async () => sender.close());
  return createHttpEvaluator(sender, config.evaluator);
}

/** The tickets' store, the repository with their work, and their queue. */
function openRecoveryPorts(runtime: Runtime): RecoveryPorts {
  return { store: runtime.tickets, checkpoints: openCheckpoints(runtime), wakeQueue: runtime.ticketQueue };
}

function metricSource(prometheus: PrometheusReader): MetricSource {
  return { query: async (promql, at, signal) => prometheus.query(promql, { signal, ...(at !== undefined && { at }) }) };
}

const cooldownOf: ExecutorOptions["cooldownOf"] = (runbook, writer) => {
  const { request } = writer.view;
  // A test must not hold back what comes in earnest.
  if (runbook.cooldownMs <= 0 || (request.alert !== undefined && isTestAlert(request.alert.labels))) return [];
  const bucket = cooldownBucket({
    runbookId: request.runbookId,
    ...(request.target !== undefined && { target: request.target }),
    ...(request.alert !== undefined && { fingerprint: request.alert.fingerprint }),
  });
  return bucket === undefined ? [] : [{ bucket, forMs: cooldownWindowMs(runbook.cooldownMs, 1) }];
};
