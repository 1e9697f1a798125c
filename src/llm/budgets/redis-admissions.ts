import { join } from "node:path";
import type { Redis } from "ioredis";
import type { AdmissionAnswer, AdmissionLogEntry, AdmissionRequest } from "../../../packages/sdk/src/wire/admissions.ts";
import type { Clock } from "../../core/clock.ts";
import { dayMs } from "../../core/duration.ts";
import { loadScript } from "../../platform/redis/script.ts";
import { workloadKeys as keys, leaseIdOf, shareIdOf } from "../../platform/redis/workload-keys.ts";
import { decideAdmission } from "./admission.ts";
import { type BatchFacts, leadingVerdict } from "./batch-admission.ts";
import type { LedgerTimes } from "./ledger.ts";
import { type ReadFacts, readFacts } from "./redis-facts.ts";

/** Admissions are kept so many entries long. */
export const logLength = 20_000;

/** What is known of a ticket is kept so long, in milliseconds. */
export const ticketMs = 30 * dayMs;

/** Conflicts mean that somebody else moved on, so a few rounds always suffice; this bounds a defect. */
const mostRounds = 200;

type Asked = Pick<AdmissionRequest, "budget" | "ticketId" | "batchId">;

/** Lets tickets in. */
export interface Admissions {
  /** All that a decision about this ticket rests on, read at once; undefined: there is no such budget. */
  factsOf(request: Asked, now: number): Promise<ReadFacts | undefined>;
  /** The decision, which holds: a permission has its reservation. */
  admit(request: AdmissionRequest): Promise<AdmissionAnswer>;
}

/** Decisions are made here by `decideAdmission`; a script takes one only while all that it rests on still holds. */
export function createAdmissions({
  redis,
  clock,
  times,
}: {
  readonly redis: Redis;
  readonly clock: Clock;
  readonly times: LedgerTimes;
}): Admissions {
  const scripts = {
    facts: loadScript(join(import.meta.dirname, "lua/wl-facts.lua"), ["wl-ledger"]),
    admit: loadScript(join(import.meta.dirname, "lua/wl-admit.lua"), ["wl-ledger"]),
  };
  const minuteAt = (now: number) => Math.floor(now / times.minuteMs);

  /** The first keys of both scripts. */
  const keysOf = ({ budget, ticketId, batchId = "" }: Asked, now: number) => [
    keys.budget(budget),
    keys.expiry(budget),
    keys.leases(budget),
    keys.reserved(budget),
    keys.minute(budget, minuteAt(now)),
    keys.ticketSpend(budget, ticketId),
    keys.batch(batchId),
  ];

  const factsOf = async (request: Asked, now: number): Promise<ReadFacts | undefined> => {
    const { budget, ticketId } = request;
    const reply = await scripts.facts.run(
      redis,
      [...keysOf(request, now), keys.shares(budget)],
      [now, leaseIdOf(budget, ticketId), shareIdOf(request.batchId)],
    );
    return readFacts(reply, { leaseId: leaseIdOf(budget, ticketId), now, minuteMs: times.minuteMs });
  };

  const take = async (request: AdmissionRequest, read: ReadFacts, now: number): Promise<boolean> => {
    const { budget, ticketId, batchId = "" } = request;
    const leaseId = leaseIdOf(budget, ticketId);
    const { limits } = read.facts.controls;
    const description = { ticketId, queue: request.queue, batchId, turn: request.turn, since: read.facts.lease?.since ?? now };
    const reply = await scripts.admit.run(
      redis,
      [...keysOf(request, now), keys.admissions, keys.queues(budget), keys.batches(budget), keys.shares(budget)],
      [
        [now, leaseId, JSON.stringify(description), read.facts.controls.version, read.definitionVersion, read.facts.limitMicroUsd],
        [request.estimateMicroUsd, limits.concurrency ?? "", limits.ratePerMinute ?? "", now + times.leaseMs, budget, ticketId],
        [request.attempt, times.minuteMs * 2, ticketMs, request.queue, batchId, logLength],
        batchClaims(read.facts.batch, shareIdOf(request.batchId), minuteAt(now)),
      ].flat(),
    );
    return reply === "admitted";
  };

  const logRefusal = async (entry: AdmissionLogEntry & { readonly kind: "wait" | "stop" }): Promise<void> => {
    const fields = { kind: entry.kind, at: entry.at, budget: entry.budget, ticket: entry.ticketId, starts: entry.starts ? "1" : "0" };
    await redis.xadd(keys.admissions, "MAXLEN", "~", logLength, "*", ...Object.entries({ ...fields, reason: entry.reason ?? "" }).flat());
  };

  const admit = async (request: AdmissionRequest): Promise<AdmissionAnswer> => {
    const leaseId = leaseIdOf(request.budget, request.ticketId);
    for (let round = 0; round < mostRounds; round += 1) {
      const now = clock.now();
      const read = await factsOf(request, now);
      if (read === undefined) {
        return { kind: "stop", reason: "unknown_budget", detail: `There is no budget ${request.budget}.`, retryAfterMs: times.minuteMs };
      }
      const decision = decideAdmission(request, read.facts, now);
      if (decision.kind === "admit") {
        if (await take(request, read, now)) return { kind: "admitted", leaseId, leaseMs: times.leaseMs };
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
    throw new Error(`an admission on budget ${request.budget} found the ledger changed ${mostRounds} times in a row`);
  };

  return { factsOf, admit };
}

/** What of a batch must still hold when an admission is taken: the last arguments of wl-admit. */
function batchClaims(batch: BatchFacts | undefined, share: string, minute: number): (string | number)[] {
  if (batch === undefined) return ["", "", "", "", "", "", ""];
  const { concurrency, ratePerMinute, maxCostMicroUsd, leadingTickets } = batch.limits;
  const leading = leadingVerdict(batch) === "running" ? leadingTickets : "";
  return [
    share,
    concurrency ?? "",
    ratePerMinute ?? "",
    minute,
    maxCostMicroUsd ?? "",
    leading,
    leading === "" && leadingTickets > 0 ? 1 : 0,
  ];
}
