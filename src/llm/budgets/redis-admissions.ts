import type { Redis } from "ioredis";
import type { AdmissionAnswer, AdmissionLogEntry, AdmissionRequest } from "../../../packages/sdk/src/wire/admissions.ts";
import type { Clock } from "../../core/clock.ts";
import { workloadKeys as keys, leaseIdOf, shareIdOf } from "../../platform/redis/workload-keys.ts";
import { decideAdmission } from "./admission.ts";
import { type BatchFacts, pilotVerdict } from "./batch-admission.ts";
import { type BudgetTimes, logLength, ticketMs } from "./budget-ledger.ts";
import { createExposureReader, type Exposures, noExposures } from "./redis-exposures.ts";
import { type ReadFacts, readFacts } from "./redis-facts.ts";
import { budgetScripts } from "./redis-scripts.ts";
import type { StoredLease } from "./stored-lease.ts";

/** A conflict means that another admission succeeded, so a few rounds suffice; the limit bounds a defect. */
const maxRounds = 200;

type Asked = Pick<AdmissionRequest, "budget" | "ticketId" | "batchId"> & Partial<Pick<AdmissionRequest, "turn">>;

/** Atomic admission of tickets against a budget. */
export interface AdmissionStore {
  /** The snapshot that a decision about this ticket depends on. Undefined if there is no such budget. */
  factsOf(request: Asked, now: number): Promise<ReadFacts | undefined>;
  /** Decides, and reserves the estimate if the ticket is admitted. Throws when the snapshot stayed stale. */
  admit(request: AdmissionRequest): Promise<AdmissionAnswer>;
}

/** `decideAdmission` decides from a snapshot; a script commits the decision only if the snapshot is not stale. */
export function createAdmissionStore({
  redis,
  clock,
  times,
  unknownRollout = () => undefined,
}: {
  readonly redis: Redis;
  readonly clock: Clock;
  readonly times: BudgetTimes;
  readonly unknownRollout?: () => void;
}): AdmissionStore {
  const minuteAt = (now: number) => Math.floor(now / times.minuteMs);

  /** The keys that both scripts take. */
  const keysOf = ({ budget, ticketId, batchId = "" }: Asked, now: number) => ({
    budget: keys.budget(budget),
    expiry: keys.expiry(budget),
    leases: keys.leases(budget),
    reserved: keys.reserved(budget),
    minute: keys.minute(budget, minuteAt(now)),
    ticketSpend: keys.ticketSpend(budget, ticketId),
    batch: keys.batch(batchId),
    shares: keys.shares(budget),
  });

  const factsOf = async (request: Asked, now: number): Promise<ReadFacts | undefined> => {
    const { budget, ticketId } = request;
    const leaseId = leaseIdOf(budget, ticketId);
    const result = await budgetScripts.admissionFacts.run(redis, {
      keys: keysOf(request, now),
      args: { now, leaseId, share: shareIdOf(request.batchId), turn: request.turn ?? 0 },
    });
    return readFacts(result, { leaseId, now, minuteMs: times.minuteMs });
  };

  const take = async (
    request: AdmissionRequest,
    { read, exposures }: { readonly read: ReadFacts; readonly exposures: Exposures },
    now: number,
  ): Promise<boolean> => {
    const { budget, ticketId, batchId = "" } = request;
    const leaseId = leaseIdOf(budget, ticketId);
    const { limits } = read.facts.controls;
    const lease: StoredLease = {
      leaseId,
      budget,
      ticketId,
      queue: request.queue,
      batchId,
      attempt: request.attempt,
      turn: request.turn,
      estimate: request.estimateMicroUsd,
      since: read.facts.lease?.since ?? now,
      spend: keys.ticketSpend(budget, ticketId),
      batch: keys.batch(batchId),
      unreported: keys.usageUnreported,
    };
    const result = await budgetScripts.admit.run(redis, {
      keys: {
        ...keysOf(request, now),
        log: keys.admissions,
        queues: keys.queues(budget),
        batches: keys.batches(budget),
        leasedBudgets: keys.leasedBudgets,
      },
      args: {
        now,
        leaseId,
        lease: JSON.stringify(lease),
        controlsVersion: read.facts.controls.version,
        definitionVersion: read.definitionVersion,
        limit: read.facts.limitMicroUsd,
        estimate: request.estimateMicroUsd,
        maxRunning: limits.concurrency ?? "",
        maxStarts: limits.ratePerMinute ?? "",
        leaseExpiresAt: now + times.leaseMs,
        budgetId: budget,
        ticketId,
        attempt: request.attempt,
        minuteTtlMs: times.minuteMs * 2,
        ticketTtlMs: ticketMs,
        queue: request.queue,
        batchId,
        logLength,
        share: read.facts.batch === undefined ? "" : shareIdOf(request.batchId),
        minuteIndex: minuteAt(now),
        ...batchArgs(read.facts.batch),
      },
      ...exposures,
    });
    return result === "admitted";
  };

  const logRefusal = async (entry: AdmissionLogEntry & { readonly kind: "wait" | "stop" }): Promise<void> => {
    const fields = { kind: entry.kind, at: entry.at, budget: entry.budget, ticket: entry.ticketId, starts: entry.starts ? "1" : "0" };
    await redis.xadd(keys.admissions, "MAXLEN", "~", logLength, "*", ...Object.entries({ ...fields, reason: entry.reason ?? "" }).flat());
  };

  const admit = async (request: AdmissionRequest): Promise<AdmissionAnswer> => {
    const leaseId = leaseIdOf(request.budget, request.ticketId);
    const { ticketId, assignments } = request;
    const exposing = assignments === undefined ? noExposures : createExposureReader(redis, unknownRollout)({ ticketId, assignments });
    for (let round = 0; round < maxRounds; round += 1) {
      const now = clock.now();
      const [read, exposures] = await Promise.all([factsOf(request, now), exposing]);
      if (read === undefined) {
        return { kind: "stop", reason: "unknown_budget", detail: `There is no budget ${request.budget}.`, retryAfterMs: times.minuteMs };
      }
      const decision = decideAdmission(request, read.facts, now);
      if (decision.kind === "admit") {
        if (await take(request, { read, exposures }, now)) return { kind: "admitted", leaseId, leaseMs: times.leaseMs };
        continue;
      }
      const starts = read.facts.lease === undefined;
      await logRefusal({
        kind: decision.kind,
        at: now,
        budget: request.budget,
        ticketId: request.ticketId,
        starts,
        reason: decision.reason,
      });
      return decision;
    }
    throw new Error(`an admission on budget ${request.budget} found the ledger changed ${maxRounds} times in a row`);
  };

  return { factsOf, admit };
}

/** What must still hold of the batch when the admission is committed; `""` means no limit. */
function batchArgs(batch: BatchFacts | undefined) {
  if (batch === undefined) return { batchMaxRunning: "", batchMaxStarts: "", batchMaxCost: "", pilotSize: "", pilotPassed: false };
  const { concurrency, ratePerMinute, maxCostMicroUsd, pilotTickets } = batch.limits;
  const isPilotRunning = pilotVerdict(batch) === "running";
  return {
    batchMaxRunning: concurrency ?? "",
    batchMaxStarts: ratePerMinute ?? "",
    batchMaxCost: maxCostMicroUsd ?? "",
    pilotSize: isPilotRunning ? pilotTickets : "",
    pilotPassed: !isPilotRunning && pilotTickets > 0,
  };
}
