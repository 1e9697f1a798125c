import type { Redis } from "ioredis";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { runPeriodically } from "../../core/run-periodically.ts";
import type { StoreGate } from "../../core/store-gate.ts";
import type { WorkerHandle } from "../../core/worker-handle.ts";
import { type DurabilitySource, memoryShare } from "./judge-redis.ts";
import { judgeStore, type StoreJudgement, unfitReason } from "./judge-store.ts";
import { readStoreFacts } from "./read-redis-facts.ts";
import { markSchema, readableVersions, readSchemaAge } from "./schema-version.ts";

/** How a store is watched. */
export interface StoreWatchOptions {
  /** Asks the store; fails fast when it does not answer. */
  readonly redis: Redis;
  /** REDIS_DURABLE_BY. */
  readonly durableBy: DurabilitySource | undefined;
  readonly clock: Pick<Clock, "sleep" | "monotonic">;
  readonly log: Pick<Log, "info" | "warn" | "error">;
  readonly signal: AbortSignal;
  /** Is waited for each time before the store counts as fit: another server may be behind the connection. */
  readonly beforeUse?: () => Promise<void>;
  /** Milliseconds between two judgements of a connection that stays; 10 s by default. */
  readonly intervalMs?: number;
}

/** Judges the store again and again. */
export interface StoreWatch extends StoreGate, WorkerHandle {
  judgement(): StoreJudgement;
  /** Used memory as a share of maxmemory at the last look; undefined: not known. */
  memoryShare(): number | undefined;
  /** Makes each loss and each return of this connection a reason to judge again: it may lead to another server, or to one with other settings. */
  watch(redis: Redis): void;
  /** Resolves when there is a judgement, fit or not, or after 5 s. */
  untilJudged(clock: Pick<Clock, "sleep" | "monotonic">): Promise<void>;
}

/** After a look that did not find a fit store. */
const retryMs = 1000;
/** Many connections that come back together need one look. */
const minPauseMs = 20;
const judgedWithinMs = 5000;
const judgedPollMs = 10;
/** A slow Redis keeps its judgement this long while its connections stay. */
const staleMs = 30_000;

/**
 * Judges a store at once, at every change of a watched connection and every 10 s. A fit store without a mark is marked: it is empty, or was
 * emptied. An unfit one is never written to.
 */
export function startStoreWatch(options: StoreWatchOptions): StoreWatch {
  const { redis, clock, log, signal, intervalMs = 10_000 } = options;
  const listeners = new Set<(isFit: boolean) => void>();
  let judgement: StoreJudgement = { kind: "not_judged", reason: "no_answer" };
  let share: number | undefined;
  /** Rises with each change of a connection; a look that began before says nothing about afterwards. */
  let generation = 0;
  let judgedAt = 0;
  let wasFit = false;

  const become = (next: StoreJudgement): void => {
    const [before, after] = [unfitReason(judgement), unfitReason(next)];
    const changed = (judgement.kind === "fit") !== (next.kind === "fit");
    judgement = next;
    if (before !== after && next.kind === "unfit")
      log.error({ faults: next.faults }, "The store is unfit; nothing is accepted and nothing is claimed until it is fit.");
    else if (changed && next.kind === "not_judged")
      log.warn({ reason: after }, "The store must be judged again before anything is accepted or claimed.");
    else if (changed) log.info({}, "The store is fit.");
    if (changed) for (const listener of listeners) listener(next.kind === "fit");
  };

  /** A process of the earlier version would take what this one writes for damaged, until it has judged the store again. */
  const letEarlierVersionStop = async (): Promise<void> => {
    const ageMs = await readSchemaAge(redis);
    const waitMs = ageMs === undefined ? 0 : intervalMs * 1.2 - ageMs;
    if (waitMs <= 0) return;
    log.info({ waitMs }, "The data becomes that of this version; processes of the earlier version are given time to stop.");
    await clock.sleep(waitMs, signal);
  };

  const judge = async (): Promise<StoreJudgement> => {
    const facts = await readStoreFacts(redis);
    share = memoryShare(facts);
    const judged = judgeStore(facts, options.durableBy);
    const isMarked = facts.schema !== undefined && !readableVersions.includes(facts.schema);
    if (judged.kind === "unfit") return judged;
    if (isMarked) {
      if (!wasFit) await letEarlierVersionStop();
      return judged;
    }
    // Another version may have marked it in this moment.
    const schema = await markSchema(redis);
    await letEarlierVersionStop();
    if (wasFit && facts.schema === undefined)
      log.warn({ schema }, "The store had lost the mark of its layout, so it was emptied; the mark is written again.");
    return judgeStore({ ...facts, schema }, options.durableBy);
  };

  const work = runPeriodically({ name: "store", intervalMs, minPauseMs, clock, log, signal }, async () => {
    const began = generation;
    const next = await judge().catch(() => undefined);
    if (next?.kind === "fit" && judgement.kind !== "fit") await options.beforeUse?.();
    if (next !== undefined && began === generation) {
      judgedAt = clock.monotonic();
      wasFit ||= next.kind === "fit";
      become(next);
    } else if (next === undefined) {
      share = undefined;
      if (clock.monotonic() - judgedAt > staleMs || judgement.kind === "not_judged") become({ kind: "not_judged", reason: "no_answer" });
    }
    return next?.kind === "fit" ? undefined : retryMs;
  });
  const connectionChanged = (reason: "no_answer" | "connection_changed") => () => {
    if (signal.aborted) return;
    generation += 1;
    become({ kind: "not_judged", reason });
    work.trigger();
  };
  const watch = (connection: Redis): void => {
    let wasReady = false;
    const returned = connectionChanged("connection_changed");
    connection.on("close", connectionChanged("no_answer"));
    connection.on("ready", () => {
      // One more connection to a store that is judged changes nothing yet; had it another server behind it, the others would have closed.
      if (wasReady) returned();
      else work.trigger();
      wasReady = true;
    });
    // Of a cluster each node has a connection of its own, and the owner of our keys may become another one.
    connection.on("-node", connectionChanged("connection_changed"));
    connection.on("+node", connectionChanged("connection_changed"));
  };
  watch(redis);

  return {
    judgement: () => judgement,
    memoryShare: () => share,
    watch,
    async untilJudged(within) {
      const until = within.monotonic() + judgedWithinMs;
      while (judgement.kind === "not_judged" && within.monotonic() < until && !signal.aborted) await within.sleep(judgedPollMs);
    },
    isFit: () => judgement.kind === "fit",
    async untilFit(until) {
      if (judgement.kind === "fit") return;
      until.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const stop = () => {
          listeners.delete(listener);
          until.removeEventListener("abort", onAbort);
        };
        const listener = (isFit: boolean) => {
          if (!isFit) return;
          stop();
          resolve();
        };
        const onAbort = () => {
          stop();
          reject(until.reason);
        };
        listeners.add(listener);
        until.addEventListener("abort", onAbort, { once: true });
      });
    },
    onChange(changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
    close: async () => work.close(),
  };
}
