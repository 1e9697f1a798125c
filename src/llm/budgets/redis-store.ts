import type { Redis } from "ioredis";
import { z } from "zod";
import { admissionRequestSchema, releaseSchema } from "../../../packages/sdk/src/wire/admissions.ts";
import type { Budget, BudgetState, RunningTicket } from "../../../packages/sdk/src/wire/budgets.ts";
import type { Clock } from "../../core/clock.ts";
import type { MicroUsd } from "../../core/money.ts";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys, leaseIdOf, shareIdOf } from "../../platform/redis/workload-keys.ts";
import { defaultUnknownCostMicroUsd } from "../usage/estimate-cost.ts";
import { defaultMaxAgeMs } from "../usage/usage-report.ts";
import { effectiveControls } from "./admission.ts";
import { allowanceAt, periodAt, periodRemainingSeconds } from "./budget-allowance.ts";
import {
  type BudgetLedger,
  type BudgetTimes,
  type DefineResult,
  defaultMaxBudgets,
  defaultUsageRetention,
  historyLength,
  logLength,
  type QueueCounts,
  ticketMs,
  type UsageRetention,
} from "./budget-ledger.ts";
import { applyChange, hasChange, openControls } from "./controls.ts";
import { finishedTicket } from "./finished-ticket.ts";
import { createAdmissionStore } from "./redis-admissions.ts";
import { readLogEntry, readRows } from "./redis-codec.ts";
import { correctCost } from "./redis-corrections.ts";
import { createExposureReader, noExposures } from "./redis-exposures.ts";
import { createUsageRecorder } from "./redis-recorder.ts";
import { budgetScripts } from "./redis-scripts.ts";
import { createSummaryReader, endExpiredLeases, readActivity } from "./redis-summaries.ts";
import { recordUnreported } from "./redis-unreported.ts";
import { createUsageReader } from "./redis-usage.ts";
import { sumRows } from "./spend-row.ts";

export interface BudgetLedgerDeps {
  readonly redis: Redis;
  readonly clock: Clock;
  readonly times: BudgetTimes;
  readonly counts: QueueCounts;
  /** Hears of every assignment to a rollout that does not exist; it is ignored. */
  readonly unknownRollout?: () => void;
  /** Budgets that may exist; 2,000 by default. */
  readonly maxBudgets?: number;
  /** How long and in how many bytes usage events are kept; {@link defaultUsageRetention} by default. */
  readonly usageRetention?: UsageRetention;
  /** How long ids of usage are remembered, in milliseconds; two days by default. An older report must not be recorded. */
  readonly usageMaxAgeMs?: number;
  /** What a request costs of which nothing is known, in micro-USD; see `estimateCost`. */
  readonly unknownCostMicroUsd?: MicroUsd;
}

const noCounts = { queued: 0, queues: [], batches: [] };

/**
 * The ledger in Redis; {@link createAdmissionStore} admits tickets.
 * `now` comes from the caller's clock, not Redis's, so that scaled and rehearsed time work; clocks that differ by seconds move leases by seconds.
 * Rejects with StoreUnavailable when Redis does not answer.
 */
export function createBudgetLedger(deps: BudgetLedgerDeps): BudgetLedger {
  const { redis, clock, times, counts, maxBudgets = defaultMaxBudgets, unknownRollout = () => undefined } = deps;
  const { usageRetention: retention = defaultUsageRetention, usageMaxAgeMs: maxAgeMs = defaultMaxAgeMs } = deps;
  const { unknownCostMicroUsd = defaultUnknownCostMicroUsd } = deps;
  const admissions = createAdmissionStore({ redis, clock, times, unknownRollout });
  const reader = createUsageReader({ redis, clock, retentionMs: retention.retentionMs });
  const recent = reader.recentUsage;
  const recorder = createUsageRecorder({ redis, clock, times, unknownRollout, retention, maxAgeMs, unknownCostMicroUsd, recent });

  const readSummaries = createSummaryReader(redis);

  const releaseLease = async (release: Release, outcome: string): Promise<unknown> => {
    const { budget, ticketId, batchId, kind, assignments } = release;
    return budgetScripts.releaseLease.run(redis, {
      keys: {
        ...reservationKeys(budget),
        ticketSpend: keys.ticketSpend(budget, ticketId),
        kindCosts: keys.costs(kind),
        batch: keys.batch(batchId ?? ""),
      },
      args: {
        now: clock.now(),
        leaseId: leaseIdOf(budget, ticketId),
        outcome,
        ticketTtlMs: ticketMs,
        share: shareIdOf(batchId),
        historyLength,
        isUnused: release.unused,
      },
      ...(assignments === undefined ? noExposures : await createExposureReader(redis, unknownRollout)({ ticketId, assignments })),
    });
  };

  const read = async (budget: string): Promise<BudgetState | undefined> => {
    const now = clock.now();
    const snapshot = await admissions.factsOf({ budget, ticketId: "" }, now);
    if (snapshot === undefined) return undefined;
    const [queues, batches, waiting] = await Promise.all([
      redis.smembers(keys.queues(budget)),
      redis.smembers(keys.batches(budget)),
      counts.countsOf([budget]),
    ]);
    const [{ queued, ...where } = noCounts] = waiting;
    return {
      budget: snapshot.definition,
      controls: effectiveControls(snapshot.facts.controls, now),
      spentMicroUsd: snapshot.facts.spentMicroUsd,
      estimatedMicroUsd: snapshot.estimatedMicroUsd,
      committedMicroUsd: snapshot.facts.committedMicroUsd,
      running: snapshot.facts.running,
      queued,
      allowanceMicroUsdPerSecond: allowanceAt(snapshot.definition, now),
      periodRemainingSeconds: periodRemainingSeconds(snapshot.definition, now),
      queues: union(queues, where.queues),
      batches: union(batches, where.batches),
    };
  };

  const readStates = async (): Promise<readonly BudgetState[]> => {
    const now = clock.now();
    await endExpiredLeases(redis, now);
    const summaries = await readSummaries(now);
    const ids = summaries.map(({ budget }) => budget.id);
    const [activity, waiting] = await Promise.all([readActivity(redis, ids, now), counts.countsOf(ids)]);
    return summaries.map((summary, index) => {
      const { running, batches } = activity[index] ?? { running: 0, batches: [] };
      const { queued, ...where } = waiting[index] ?? noCounts;
      return { ...summary, running, queued, queues: union(summary.queues, where.queues), batches: union(batches, where.batches) };
    });
  };

  return {
    define: (budget) => available(() => define(budget)),
    summaries: () => available(() => readSummaries(clock.now())),
    states: () => available(readStates),
    endExpiredLeases: () => available(() => endExpiredLeases(redis, clock.now())),
    read: (budget) => available(() => read(budget)),
    list: () => available(async () => (await redis.smembers(keys.budgets)).sort()),
    admit: (input) => available(() => admissions.admit(admissionRequestSchema.parse(input))),
    extend: (budget, leaseId) =>
      available(async () => {
        const now = clock.now();
        const result = await budgetScripts.extendLease.run(redis, {
          keys: { expiry: keys.expiry(budget) },
          args: { now, leaseId, newExpiresAt: now + times.leaseMs },
        });
        return result === 1;
      }),
    release: (input) =>
      available(async () => {
        await releaseLease(releaseSchema.parse(input), "");
      }),
    finish: (input) =>
      available(async () => {
        const release = releaseSchema.parse(input);
        const { outcome } = release;
        const ended = z.array(z.coerce.number()).parse(await releaseLease(release, outcome ?? ""));
        const [costMicroUsd, startedAt, attempts] = ended;
        if (outcome === undefined || costMicroUsd === undefined || startedAt === undefined || attempts === undefined) return undefined;
        return finishedTicket({ ...release, outcome }, { costMicroUsd, startedAt, attempts }, clock.now());
      }),
    record: (events) => available(() => recorder.record(events)),
    correct: (correction) => available(() => correctCost(correction, { redis, recorder, reader, now: clock.now() })),
    recordUnreported: () => available(() => recordUnreported({ redis, times, retention, now: clock.now() })),
    cancelTicket: (budget, ticketId) =>
      available(async () => {
        const key = keys.ticketSpend(budget, ticketId);
        await redis.multi().hset(key, "cancelled", "1").pexpire(key, ticketMs).exec();
      }),
    compareAndSet: (budget, expectedVersion, change) =>
      available(async () => {
        const now = clock.now();
        const snapshot = await admissions.factsOf({ budget, ticketId: "" }, now);
        if (snapshot === undefined) throw new Error(`there is no budget ${budget}`);
        const { version, ...current } = snapshot.facts.controls;
        if (version !== expectedVersion) return { set: hasChange(snapshot.facts.controls, change), controls: snapshot.facts.controls };
        const next = applyChange(current, change);
        const gateChanges = next.gate !== current.gate || next.pausedUntil !== current.pausedUntil;
        await budgetScripts.setControls.run(redis, {
          keys: { budget: keys.budget(budget), log: keys.admissions },
          args: {
            expectedVersion,
            newControls: JSON.stringify(next),
            now,
            budgetId: budget,
            gate: next.gate,
            pausedUntil: next.pausedUntil ?? "",
            by: next.by,
            gateChanges,
            logLength,
          },
        });
        // Read back rather than believed: another writer may have come between, with the same change or another.
        const after = await admissions.factsOf({ budget, ticketId: "" }, now);
        if (after === undefined) throw new Error(`there is no budget ${budget}`);
        return { set: hasChange(after.facts.controls, change), controls: after.facts.controls };
      }),
    running: (budget) =>
      available(async () => {
        await admissions.factsOf({ budget, ticketId: "" }, clock.now());
        const leases = await redis.hgetall(keys.leases(budget));
        return Object.entries(leases).map(([leaseId, text]) => readRunning(leaseId, text));
      }),
    spend: (budget, from, to) =>
      available(async () => {
        const first = Math.floor(from / times.bucketMs);
        const last = Math.ceil(to / times.bucketMs) - 1;
        const parts = [];
        for (let start = first; start <= last; start += 500) {
          const indexes = Array.from({ length: Math.min(500, last - start + 1) }, (_, offset) => start + offset);
          parts.push(...(await Promise.all(indexes.map(async (index) => readRows(redis, budget, index)))).flat());
        }
        return sumRows(parts);
      }),
    admissions: (limit) =>
      available(async () => {
        const entries = await redis.xrevrange(keys.admissions, "+", "-", "COUNT", limit);
        return entries.toReversed().map(([, fields]) => readLogEntry(fields));
      }),
    ...reader,
  };

  async function define(budget: Budget): Promise<DefineResult> {
    const now = clock.now();
    const result = await budgetScripts.define.run(redis, {
      keys: { budgets: keys.budgets, ...reservationKeys(budget.id), queues: keys.queues(budget.id) },
      args: {
        now,
        id: budget.id,
        definition: JSON.stringify(budget),
        limit: budget.limitMicroUsd,
        periodMs: budget.periodMs,
        periodStart: periodAt(budget, now).startsAt,
        firstControls: JSON.stringify(openControls),
        maxBudgets,
      },
    });
    return z.enum(["defined", "full"]).parse(result) === "full" ? { kind: "full", max: maxBudgets } : { kind: "defined" };
  }
}

/** The keys of a budget and of what is reserved of it. */
function reservationKeys(budget: string) {
  return {
    budget: keys.budget(budget),
    expiry: keys.expiry(budget),
    leases: keys.leases(budget),
    reserved: keys.reserved(budget),
    shares: keys.shares(budget),
  };
}

type Release = z.output<typeof releaseSchema>;

const lease = z.object({ ticketId: z.string(), since: z.number(), turn: z.number() });

function readRunning(leaseId: string, text: string): RunningTicket {
  const { ticketId, since, turn } = lease.parse(JSON.parse(text));
  return { ticketId, leaseId, since, turn };
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].sort();
}
