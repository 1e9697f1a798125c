import type { Redis } from "ioredis";
import { z } from "zod";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import type { Clock } from "../../core/clock.ts";
import { dayMs } from "../../core/duration.ts";
import type { MicroUsd } from "../../core/money.ts";
import { workloadKeys as keys, leaseIdOf, shareIdOf, usageIdOf } from "../../platform/redis/workload-keys.ts";
import {
  basisOf,
  type CountedGroup,
  type CountedReport,
  chargedOf,
  costPlaceholder,
  decodeCounted,
  encodeCounted,
  hashOfName,
  identityOf,
  isEstimate,
  letterOf,
} from "../usage/counted-report.ts";
import { chargeOf, decideReport, type ReportDecision } from "../usage/decide-report.ts";
import { type CostEstimate, estimateCost, maxEstimateEvents } from "../usage/estimate-cost.ts";
import { inputTokens, noTokens } from "../usage/token-partition.ts";
import type { CountedUsage, UsageOutcome } from "../usage/usage-ledger.ts";
import { type BudgetTimes, ticketMs, type UsageRetention } from "./budget-ledger.ts";
import { createExposureReader, type ExposureReader, type Exposures, noExposures } from "./redis-exposures.ts";
import { budgetScripts } from "./redis-scripts.ts";
import { maxRows, overflowRow, type RowKey, rowKeyOf } from "./spend-row.ts";

/** What recording needs. */
export interface RecorderDeps {
  readonly redis: Redis;
  readonly clock: Pick<Clock, "now">;
  readonly times: BudgetTimes;
  readonly unknownRollout: () => void;
  /** For how long and in how many bytes events are kept. */
  readonly retention: UsageRetention;
  readonly maxAgeMs: number;
  readonly unknownCostMicroUsd: MicroUsd;
  /** The newest usage events, newest first. */
  readonly recent: (limit: number) => Promise<readonly UsageEvent[]>;
}

/** Counts reports of usage, and corrects what was counted. */
export interface UsageRecorder {
  record(events: readonly UsageEvent[]): Promise<readonly UsageOutcome[]>;
  /** What is remembered of an id, and where. */
  remembered(identity: string): Promise<RememberedReport | undefined>;
  /** Writes what a person says about an id: `event` is kept, with its cost. Undefined: another report came in between. */
  overwrite(identity: ReportIdentity, event: UsageEvent, before: RememberedReport | undefined): Promise<CountedUsage | undefined>;
}

/** What identifies a report. */
export type ReportIdentity = Pick<UsageEvent, "provider" | "budget" | "id">;

/** A report as it is remembered. */
export interface RememberedReport {
  readonly text: string;
  readonly report: CountedReport;
}

/** Another report of the id came in between this often only when the store is at fault. */
const maxRounds = 100;
/** Estimates look at the same events for this long, because a sender whose usage cannot be read sends much of it. */
const estimateTtlMs = 5000;
/** Clocks of senders may be ahead by as much. */
const marginMs = 300_000;

const replySchema = z.union([
  z.tuple([z.literal("unknown_budget")]),
  z.tuple([z.literal("changed"), z.string()]),
  z.tuple([z.literal("recorded"), z.string(), z.coerce.number()]),
]);

/** The recorder in Redis. Rejects with Redis' errors. */
export function createUsageRecorder(deps: RecorderDeps): UsageRecorder {
  const { redis, clock, times, retention, maxAgeMs } = deps;
  const olderDays = Math.ceil((maxAgeMs + marginMs) / dayMs);
  let cached: { readonly at: number; readonly events: Promise<readonly UsageEvent[]> } | undefined;

  const estimateOf = async (operation: string): Promise<CostEstimate> => {
    const now = clock.now();
    if (cached === undefined || now - cached.at >= estimateTtlMs || now < cached.at)
      cached = { at: now, events: deps.recent(maxEstimateEvents) };
    return estimateCost(operation, await cached.events, deps.unknownCostMicroUsd);
  };

  const idKeys = (identity: string, now: number) => {
    const { part, field } = usageIdOf(identity);
    const today = Math.floor(now / dayMs);
    const days = Array.from({ length: olderDays + 1 }, (_, back) => keys.usageIds(part, today - back));
    const [ids = "", ...older] = days;
    return { ids, older, field, ttlMs: (today + 1) * dayMs - now + maxAgeMs + marginMs };
  };

  const write = async (step: WriteStep): Promise<z.output<typeof replySchema>> => {
    const { event, decision, before, text, now, estimate, leaseId } = step;
    const { budget, ticketId } = event;
    const { next, pending } = decision;
    const { ids, older, field, ttlMs } = idKeys(identityOf(step.identity), now);
    const [nextHead = "", nextTail = ""] = encodeCounted(next, pending).split(costPlaceholder);
    const charged = chargedOf(next);
    const others = othersOf(next, pending);
    const already = chargeOf(before);
    const bucket = Math.floor(event.at / times.bucketMs);
    const exposures = step.exposures ?? noExposures;
    const { costMicroUsd: _, estimated: __, ...kept } = event;
    const result = await budgetScripts.recordUsage.run(redis, {
      keys: {
        ids,
        budget: keys.budget(budget),
        expiry: keys.expiry(budget),
        leases: keys.leases(budget),
        reserved: keys.reserved(budget),
        shares: keys.shares(budget),
        minute: keys.minute(budget, Math.floor(now / times.minuteMs)),
        ticketSpend: keys.ticketSpend(budget, ticketId),
        batch: keys.batch(event.batchId ?? ""),
        rows: keys.rows(budget, bucket),
        rowTickets: keys.rowTickets(budget, bucket),
        usageEvents: keys.usageEvents,
        usageEventsKept: keys.usageEventsKept,
      },
      moreKeys: [...older, ...exposures.moreKeys],
      args: {
        now,
        idsTtlMs: ttlMs,
        idField: field,
        olderDays,
        remembered: text,
        nextHead,
        nextTail,
        isEstimatedHere: pending !== undefined,
        cost: pending === undefined ? charged.costMicroUsd : estimate.costMicroUsd,
        basis: letterOf(pending === undefined ? charged.basis : estimate.basis),
        floor: others.costMicroUsd,
        floorBasis: letterOf(others.basis),
        chargedBefore: already.costMicroUsd,
        estimatedBefore: already.estimatedMicroUsd,
        countedBeforeAt: before?.countedAt ?? now,
        keepsEvent: decision.kind !== "conflict" || pending !== undefined || charged.costMicroUsd !== already.costMicroUsd,
        leaseId,
        leaseExpiresAt: now + times.leaseMs,
        ...rowArgs(event, rowKeyOf(event)),
        inputTokens: inputTokens(decision.added),
        outputTokens: decision.added.output,
        unpricedTokens: unpricedOf(next) - (before === undefined ? 0 : unpricedOf(before)),
        event: JSON.stringify(kept).slice(0, -1),
        eventAt: event.at,
        rowsTtlMs: times.retentionMs,
        minuteTtlMs: times.minuteMs * 2,
        ticketTtlMs: ticketMs,
        attempt: event.attempt,
        turn: event.turn,
        share: shareIdOf(event.batchId),
        rateLimited: event.outcome === "rate_limited",
        isUnpriced: isEstimate(next.group.basis),
        eventsTtlMs: retention.retentionMs,
        eventsMaxBytes: retention.maxBytes,
      },
      moreArgs: exposures.moreArgs,
    });
    return replySchema.parse(result);
  };

  const recordOne = async (event: UsageEvent, exposuresOf: ExposureReader): Promise<UsageOutcome> => {
    const { ticketId, assignments } = event;
    const exposures = assignments === undefined ? noExposures : await exposuresOf({ ticketId, assignments });
    let text = "";
    for (let round = 0; round < maxRounds; round += 1) {
      const now = clock.now();
      const before = text === "" ? undefined : decodeCounted(text);
      const decision = decideReport(event, now, before);
      const revised = revisedEvent(event, decision, before);
      if (before !== undefined && decision.pending === undefined && encodeCounted(decision.next) === encodeCounted(before))
        return outcomeOf({ event: revised, decision, before }, chargedOf(before));
      const estimate = decision.pending === undefined ? noEstimate : await estimateOf(event.operation);
      const leaseId = leaseIdOf(event.budget, ticketId);
      const reply = await write({ identity: event, event: revised, decision, before, text, now, estimate, leaseId, exposures });
      if (reply[0] === "unknown_budget") return { kind: "unknown_budget" };
      if (reply[0] === "recorded")
        return outcomeOf({ event: revised, decision, before }, { basis: basisOf(reply[1]), costMicroUsd: reply[2] });
      text = reply[1];
    }
    throw new Error(`usage ${event.id} of budget ${event.budget} was changed by others ${maxRounds} times in a row`);
  };

  return {
    async record(events) {
      const exposuresOf = createExposureReader(redis, deps.unknownRollout);
      // Reports of one id are counted one after another, because each is decided from the one before.
      const last = new Map<string, Promise<UsageOutcome>>();
      return Promise.all(
        events.map((event) => {
          const identity = identityOf(event);
          const before = last.get(identity);
          const outcome = before === undefined ? recordOne(event, exposuresOf) : before.then(async () => recordOne(event, exposuresOf));
          last.set(identity, outcome);
          return outcome;
        }),
      );
    },
    async remembered(identity) {
      const { ids, older, field } = idKeys(identity, clock.now());
      const texts = await Promise.all([ids, ...older].map(async (key) => redis.hget(key, field)));
      const text = texts.find((one) => one !== null);
      return text === undefined || text === null ? undefined : { text, report: decodeCounted(text) };
    },
    async overwrite(identity, event, before) {
      const now = clock.now();
      const decision = correctionOf(event, now, before?.report);
      const kept = before === undefined ? event : { ...event, revises: true as const, at: before.report.at };
      const step = { identity, event: kept, decision, before: before?.report, text: before?.text ?? "", now };
      const reply = await write({ ...step, estimate: noEstimate, leaseId: "" });
      return reply[0] === "recorded" ? outcomeOf(step, chargedOf(decision.next)) : undefined;
    },
  };
}

interface WriteStep {
  /** Under which the report is remembered. */
  readonly identity: ReportIdentity;
  /** As it is kept. */
  readonly event: UsageEvent;
  readonly decision: ReportDecision;
  readonly before: CountedReport | undefined;
  /** `before` as it is stored. */
  readonly text: string;
  readonly now: number;
  readonly estimate: CostEstimate;
  readonly leaseId: string;
  readonly exposures?: Exposures;
}

/** Every amount is known. */
const noEstimate: CostEstimate = { costMicroUsd: 0, basis: "setting" };

/** The event as it is kept: under the time of the first report, so that all events of an id are in the same windows. */
function revisedEvent(event: UsageEvent, { conflict }: ReportDecision, before: CountedReport | undefined): UsageEvent {
  const marked = conflict === undefined ? event : { ...event, conflict };
  return before === undefined ? marked : { ...marked, at: before.at, revises: true };
}

function correctionOf(event: UsageEvent, now: number, before: CountedReport | undefined): ReportDecision {
  const { model, ticket } = before?.group ?? { model: hashOfName(event.model), ticket: hashOfName(event.ticketId) };
  const group = { model, ticket, costMicroUsd: event.costMicroUsd, basis: "corrected" } as const;
  const first = before ?? { at: event.at, countedAt: now, tokens: undefined };
  return { kind: "completed", next: { ...first, group, others: [] }, added: noTokens };
}

function outcomeOf(
  { event, decision, before }: Pick<WriteStep, "event" | "decision" | "before">,
  charged: Pick<CountedGroup, "costMicroUsd" | "basis">,
): CountedUsage {
  const already = chargeOf(before);
  const { costMicroUsd, basis } = charged;
  const isEstimated = isEstimate(basis);
  const { kind, added, conflict, detail } = decision;
  const { estimated: _, ...reported } = event;
  const estimated = basis === "exact" || basis === "corrected" ? {} : { estimated: basis };
  return {
    kind,
    event: { ...reported, ...estimated, costMicroUsd },
    changeMicroUsd: costMicroUsd - already.costMicroUsd,
    estimatedChangeMicroUsd: (isEstimated ? costMicroUsd : 0) - already.estimatedMicroUsd,
    added,
    ...(conflict === undefined ? {} : { conflict }),
    ...(detail === undefined ? {} : { detail }),
  };
}

/** The cost of the other groups, where that of this one is not known yet. */
function othersOf({ group, others }: CountedReport, pending: number | undefined): CountedGroup {
  const none = { ...group, costMicroUsd: 0, basis: "exact" } as const;
  return chargedOf({ group: pending === 0 ? none : group, others: others.filter((_, index) => index + 1 !== pending) });
}

/** Tokens that have no price. */
function unpricedOf({ group, tokens }: CountedReport): number {
  return tokens === undefined || !isEstimate(group.basis) ? 0 : inputTokens(tokens) + tokens.output;
}

function rowArgs(event: UsageEvent, key: RowKey) {
  const [row, overflow] = [JSON.stringify(key), JSON.stringify(overflowRow)];
  const member = (name: string) => JSON.stringify([name, `${event.ticketId}#${event.attempt}`]);
  return { row, overflowRow: overflow, maxRows, rowTicket: member(row), overflowRowTicket: member(overflow) };
}
