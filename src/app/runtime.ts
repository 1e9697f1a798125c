import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Redis } from "ioredis";
import { withCommands } from "../actions/run-command.ts";
import type { Clock } from "../core/clock.ts";
import { decodeUtf8 } from "../core/decode-utf8.ts";
import { dayMs } from "../core/duration.ts";
import type { Log } from "../core/log.ts";
import { oneUsd } from "../core/money.ts";
import type { RandomSource } from "../core/random.ts";
import type { StoreGate } from "../core/store-gate.ts";
import { createUlids, type Ids } from "../core/ulid.ts";
import { createFreezeFile, type FreezeFile } from "../freeze/freeze-file.ts";
import { observeFreezes } from "../freeze/metrics.ts";
import { createFreezeStore, type FreezeStore } from "../freeze/redis-store.ts";
import { type BudgetLedger, dividedTimes, type QueueCounts } from "../llm/budgets/budget-ledger.ts";
import { createBudgetLedger } from "../llm/budgets/redis-store.ts";
import { type ChangeRecorder, withLimitChanges } from "../llm/changes/change-log.ts";
import { createChangeLog } from "../llm/changes/redis-store.ts";
import { createModelTable, type ModelTable } from "../llm/models/model-table.ts";
import { shippedModels } from "../llm/models/shipped-models.ts";
import { createTicketStore } from "../llm/tickets/redis-store.ts";
import type { TicketRecovery, TicketStore } from "../llm/tickets/ticket.ts";
import { createTicketQueue, type TicketQueue } from "../llm/tickets/ticket-queue.ts";
import type { PriceTable } from "../llm/usage/price-table.ts";
import { type Closers, createClosers, withRedisMs } from "../platform/closers.ts";
import type { Config } from "../platform/config/config.ts";
import { startEventLoopWatch } from "../platform/event-loop-watch.ts";
import { createProcessView } from "../platform/process-identity.ts";
import { addressOf, type ConnectionPurpose, connectRedis, type RedisAddress, untilReady } from "../platform/redis/connection.ts";
import { startEmbeddedRedis } from "../platform/redis/embedded-server.ts";
import { createSharedClock, readRedisTime } from "../platform/redis/shared-clock.ts";
import { observeStore } from "../platform/redis/store-metrics.ts";
import { type StoreWatch, startStoreWatch } from "../platform/redis/store-watch.ts";
import { createLog } from "../platform/telemetry/create-log.ts";
import { createRedaction, type Redaction } from "../platform/telemetry/redaction.ts";
import { observeRunbooks } from "../runbooks/metrics.ts";
import { createRunbookFolder, type RunbookFolder } from "../runbooks/runbook-folder.ts";
import { createRunbookWatch } from "../runbooks/watch-runbooks.ts";
import { createRunNotices } from "../runs/redis-run-notices.ts";
import { actionCatalogue } from "./action-registry.ts";
import { createClaimGate } from "./claim-gate.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { readPrices } from "./read-prices.ts";

/** What a server and a worker have in common. Everything acquired is in `closers`. */
export interface Runtime {
  readonly config: Config;
  readonly version: string;
  readonly clock: Clock;
  /** Reads Redis's time anew, after which `clock` follows it. */
  syncClock(): Promise<void>;
  readonly random: RandomSource;
  readonly ids: Ids;
  readonly log: Log;
  /** Knows every secret of the configuration. */
  readonly redaction: Redaction;
  readonly metrics: Metrics;
  readonly closers: Closers;
  readonly address: RedisAddress;
  /** Whether the store may be used now. */
  readonly store: StoreWatch;
  /** Whether work may be claimed now: the store is fit, and the event loop of this process is not blocked. */
  readonly claims: StoreGate;
  /** A new connection, closed at the end. */
  connect(purpose: ConnectionPurpose): Redis;
  readonly library: RunbookFolder;
  /** PATH of this process. */
  readonly path: string;
  readonly ledger: BudgetLedger;
  /** Where changes of the workload are kept, our own among them. */
  readonly changeRecorder: ChangeRecorder;
  /** The kill switch: what stands in Redis, and the file beside it. */
  readonly freezes: FreezeStore;
  readonly freezeFile: FreezeFile | undefined;
  readonly tickets: TicketStore & TicketRecovery & QueueCounts;
  /** BullMQ's queues of tickets, opened once for the process. */
  readonly ticketQueue: TicketQueue;
  readonly prices: PriceTable;
  /** What people have written down of models. */
  readonly modelTable: ModelTable;
  /** Aborted when the process should end, by order or because something it cannot live without is gone. */
  readonly ending: AbortController;
}

/** Where a runtime gets what is not configured. */
export interface RuntimeSources {
  readonly version: string;
  readonly workingDirectory: string;
  readonly path: string;
  /** Folder of the built console; absent: the one beside this program. */
  readonly consoleFolder?: string;
  /** The machine's own; the runtime's clock follows Redis. */
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Processor time of the thread that runs the event loop, in milliseconds. */
  readonly cpuMs: () => number;
  /** Ends the process at once, with the exit code for a stuck event loop. */
  readonly exitStuck: () => void;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

const refreshEveryMs = 2000;
const syncEveryMs = 30_000;

/** Opens what every process of ours needs; on a failure what was opened is closed again. */
export async function openRuntime(config: Config, sources: RuntimeSources): Promise<Runtime> {
  const { clock: host, random } = sources;
  const redaction = createRedaction(config.secrets);
  const log = createLog({ level: config.logLevel, redaction, clock: host });
  const closers = createClosers((name, error) => log.error({ name, error }, "A resource did not close cleanly."), host);
  const ending = new AbortController();
  const end = () => ending.abort();
  if (sources.signal.aborted) end();
  else sources.signal.addEventListener("abort", end, { once: true });
  try {
    const died = (code: number | null) => {
      log.error({ code }, "Embedded redis-server exited; shutting down.");
      ending.abort();
    };
    const address = await redisAddress(config, sources, { closers, log, died });
    const open = (purpose: ConnectionPurpose): Redis => {
      const redis = connectRedis(address, purpose);
      closers.add(`redis connection (${purpose})`, () => redis.disconnect());
      return redis;
    };
    const shared = open("request");
    const clock = createSharedClock(host, async () => readRedisTime(shared));
    const store = startStoreWatch({
      redis: shared,
      durableBy: config.durableBy,
      clock: host,
      log,
      signal: ending.signal,
      beforeUse: clock.sync,
    });
    closers.add("store watch", async () => store.close(), withRedisMs);
    const connect = (purpose: ConnectionPurpose): Redis => {
      const redis = open(purpose);
      store.watch(redis);
      return redis;
    };
    const queueConnection = connect("request");
    // BullMQ asks for the server's version when it is built, and a connection of this kind does not queue.
    await Promise.all([shared, queueConnection].map(async (redis) => untilReady(redis, host)));
    if (queueConnection.status === "ready") await store.untilJudged(host);
    await clock.sync();
    const syncing = clock.every(syncEveryMs, () => void clock.sync());
    closers.add("clock", () => syncing.stop());
    const freezes = createFreezeStore(shared, { notices: createRunNotices(shared), replicas: config.replicas });
    const freezeFile = config.freezeFile === undefined ? undefined : createFreezeFile(config.freezeFile, clock);
    const metrics = createMetrics({ version: sources.version, runtime: true, clock });
    observeFreezes(metrics, freezes, freezeFile);
    observeStore(metrics, store);
    const tickets = createTicketStore({ redis: shared, clock });
    const ticketQueue = createTicketQueue(queueConnection, tickets, (error) => log.warn({ error }, "The ticket queue reports an error."));
    closers.add("ticket queue", async () => ticketQueue.close(), withRedisMs);
    const changeRecorder: ChangeRecorder = {
      changes: createChangeLog(shared),
      clock,
      lost: (error) => log.warn({ error }, "A change of the workload could not be recorded in the change log."),
    };
    const times = dividedTimes(config.timeFactor);
    const ledger = createBudgetLedger({
      redis: shared,
      clock,
      times,
      counts: tickets,
      maxBudgets: config.maxBudgets,
      usageRetention: config.usageRetention,
      usageMaxAgeMs: config.usageDays * dayMs,
      unknownCostMicroUsd: Math.max(1, Math.round(config.unknownCostUsd * oneUsd)),
      unknownRollout: () => metrics.rolloutUnknown.inc(),
    });
    const library = createRunbookFolder(
      resolve(sources.workingDirectory, config.runbooks),
      withCommands(actionCatalogue, config.commands),
      { clock: host },
    );
    const refreshRunbooks = createRunbookWatch(library, { log, clock: host });
    await refreshRunbooks();
    const refreshing = clock.every(refreshEveryMs, () => void refreshRunbooks());
    observeRunbooks(metrics, library);
    // Last: what a start computes is no sign of a loop that is stuck.
    const loop = startEventLoopWatch({ clock: host, cpuMs: sources.cpuMs, log, stuck: sources.exitStuck });
    closers.add("event loop watch", () => loop.stop());
    closers.add("runbook folder", () => refreshing.stop());
    return {
      config,
      version: sources.version,
      clock,
      syncClock: clock.sync,
      random,
      ids: createUlids(
        () => clock.now(),
        (count) => random.bytes(count),
      ),
      log,
      redaction,
      metrics,
      freezes,
      freezeFile,
      closers,
      address,
      store,
      claims: createClaimGate(store, loop),
      connect,
      library,
      path: sources.path,
      tickets,
      ticketQueue,
      prices: readPrices(config, sources.workingDirectory),
      modelTable: readModelTable(config, sources),
      ledger: withLimitChanges(ledger, changeRecorder),
      changeRecorder,
      ending,
    };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

/** How the life of an embedded server is bound to that of the process. */
interface ServerLifetime {
  readonly log: Log;
  readonly closers: Closers;
  /** Called when the server ends without having been closed. */
  readonly died: (code: number | null) => void;
}

async function redisAddress(config: Config, sources: RuntimeSources, { closers, log, died }: ServerLifetime): Promise<RedisAddress> {
  if (config.redis.kind !== "embedded") return addressOf(config.redis);
  const server = await startEmbeddedRedis({
    folder: resolve(sources.workingDirectory, config.dataFolder),
    path: sources.path,
    places: [join(sources.workingDirectory, ".tools", "bin")],
    view: createProcessView(),
    clock: sources.clock,
    random: sources.random,
    log,
    died,
  });
  closers.add("redis-server", () => server.close());
  return { socketPath: server.socketPath };
}

function readModelTable({ modelTable }: Config, sources: RuntimeSources): ModelTable {
  return createModelTable(shippedModels, modelTable === undefined ? [] : JSON.parse(readBeside(sources, modelTable)));
}

/** The text of a file beside the configuration. Throws when it cannot be read, or is no UTF-8. */
export function readBeside(sources: Pick<RuntimeSources, "workingDirectory">, path: string): string {
  const decoded = decodeUtf8(readFileSync(resolve(sources.workingDirectory, path)));
  if (!decoded.ok) throw new Error(`${path}:${decoded.line}:${decoded.column}: ${decoded.message}`);
  return decoded.text;
}
