import {
  type AdmissionLogEntry,
  type AdmissionRequest,
  admissionRequestSchema,
  releaseSchema,
} from "../../packages/sdk/src/wire/admissions.ts";
import type { Budget, BudgetControls } from "../../packages/sdk/src/wire/budgets.ts";
import type { UsageEvent } from "../../packages/sdk/src/wire/usage.ts";
import type { Clock } from "../../src/core/clock.ts";
import { type AdmissionFacts, decideAdmission, effectiveControls } from "../../src/llm/budgets/admission.ts";
import { allowanceAt, periodAt, periodRemainingSeconds } from "../../src/llm/budgets/budget-allowance.ts";
import { type BudgetLedger, type BudgetSummary, type BudgetTimes, defaultMaxBudgets } from "../../src/llm/budgets/budget-ledger.ts";
import { applyChange, hasChange, openControls } from "../../src/llm/budgets/controls.ts";
import { type RowKey, type RowPart, rowKeyOf, sumRows, unreportedRow } from "../../src/llm/budgets/spend-row.ts";
import {
  countedOfUnreported,
  eventOfUnreported,
  readUnreportedId,
  type UnreportedTurn,
  unreportedName,
} from "../../src/llm/budgets/unreported-turn.ts";
import {
  type CountedGroup,
  type CountedReport,
  chargedOf,
  encodeCounted,
  identityOf,
  isEstimate,
} from "../../src/llm/usage/counted-report.ts";
import { chargeOf, decideReport, type ReportDecision } from "../../src/llm/usage/decide-report.ts";
import { estimateCost, maxEstimateEvents } from "../../src/llm/usage/estimate-cost.ts";
import { latestEvents } from "../../src/llm/usage/latest-events.ts";
import { inputTokens, noTokens } from "../../src/llm/usage/token-partition.ts";
import type { CountedUsage, UsageOutcome } from "../../src/llm/usage/usage-ledger.ts";

interface Lease {
  readonly leaseId: string;
  readonly ticketId: string;
  readonly queue: string;
  readonly batchId: string;
  readonly since: number;
  readonly attempt: number;
  readonly turn: number;
  readonly estimate: number;
  reserved: number;
  expiresAt: number;
  reported: boolean;
}

interface Account {
  definition: Budget;
  controls: BudgetControls;
  periodStart: number;
  spent: number;
  estimated: number;
  readonly leases: Map<string, Lease>;
  readonly minutes: Map<number, { started: number; spent: number }>;
  readonly tickets: Map<
    string,
    {
      spent: number;
      started?: number;
      attempts: number;
      cancelled?: boolean;
      finished?: boolean;
      begun?: boolean;
      readonly unreported: UnreportedTurn[];
    }
  >;
  readonly queues: Set<string>;
  readonly batches: Set<string>;
  readonly events: { readonly bucket: number; readonly part: RowPart }[];
}

/** What a test says about a batch. */
export type MemoryBatch = NonNullable<AdmissionFacts["batch"]>;

/** The ledger's contract in memory: one thread, so every call is atomic by itself. Batches are whatever a test put into `batches`. */
export function createMemoryBudgetLedger({
  clock,
  times,
  maxBudgets = defaultMaxBudgets,
}: {
  readonly clock: Clock;
  readonly times: BudgetTimes;
  readonly maxBudgets?: number;
}): BudgetLedger & {
  readonly batches: Map<string, MemoryBatch>;
} {
  const accounts = new Map<string, Account>();
  const batches = new Map<string, MemoryBatch>();
  const counted = new Map<string, CountedReport>();
  const pendingTurns: UnreportedTurn[] = [];
  const usage: UsageEvent[] = [];
  const byTime = () => usage.toSorted((a, b) => a.at - b.at);
  const log: AdmissionLogEntry[] = [];

  const open = (id: string): Account | undefined => {
    const account = accounts.get(id);
    if (account === undefined) return undefined;
    const now = clock.now();
    for (const lease of account.leases.values()) if (lease.expiresAt <= now) endLease(account, lease.leaseId);
    const { periodMs } = account.definition;
    if (now >= account.periodStart + periodMs) {
      account.periodStart += Math.floor((now - account.periodStart) / periodMs) * periodMs;
      account.spent = 0;
      account.estimated = 0;
    }
    return account;
  };
  const committedOf = (account: Account) => [...account.leases.values()].reduce((sum, lease) => sum + lease.reserved, 0);
  const summaryOf = (account: Account): BudgetSummary => {
    const now = clock.now();
    return {
      budget: account.definition,
      controls: effectiveControls(account.controls, now),
      spentMicroUsd: account.spent,
      estimatedMicroUsd: account.estimated,
      committedMicroUsd: committedOf(account),
      allowanceMicroUsdPerSecond: allowanceAt(account.definition, now),
      periodRemainingSeconds: periodRemainingSeconds(account.definition, now),
      queues: [...account.queues].sort(),
    };
  };
  const stateOf = (account: Account) => ({
    ...summaryOf(account),
    running: account.leases.size,
    queued: 0,
    batches: [...account.batches].sort(),
  });
  const ticketOf = (account: Account, id: string) => {
    const ticket = account.tickets.get(id) ?? { spent: 0, attempts: 0, unreported: [] };
    account.tickets.set(id, ticket);
    return ticket;
  };
  const minuteOf = (account: Account) => {
    const index = Math.floor(clock.now() / times.minuteMs);
    const minute = account.minutes.get(index) ?? { started: 0, spent: 0 };
    account.minutes.set(index, minute);
    return minute;
  };
  const leaseIdOf = (budget: string, ticketId: string) => `${budget} ${ticketId}`;
  const chargeBatch = (batchId: string, amount: number) => {
    const batch = batches.get(batchId);
    if (batch !== undefined) batches.set(batchId, { ...batch, spentMicroUsd: batch.spentMicroUsd + amount });
  };
  const addSpent = (account: Account, amount: number, chargedAt: number) => {
    if (amount >= 0 || chargedAt >= account.periodStart) account.spent += amount;
  };
  const addEstimated = (account: Account, amount: number) => {
    account.estimated = Math.max(0, account.estimated + amount);
  };
  /** A turn without a report is charged with what it reserved. */
  const chargeUnreported = (account: Account, lease: Lease) => {
    const amount = lease.reserved;
    if (amount <= 0 || lease.reported) return;
    const turn = { lease: { ...lease, budget: account.definition.id }, amount, at: clock.now(), replaced: false };
    account.spent += amount;
    account.estimated += amount;
    const ticket = ticketOf(account, lease.ticketId);
    ticket.spent += amount;
    ticket.unreported.push(turn);
    chargeBatch(lease.batchId, amount);
    pendingTurns.push(turn);
  };
  const endLease = (account: Account, leaseId: string) => {
    const lease = account.leases.get(leaseId);
    if (lease !== undefined) chargeUnreported(account, lease);
    account.leases.delete(leaseId);
  };
  const takeUnreported = (account: Account, event: UsageEvent): UnreportedTurn | undefined => {
    const { unreported } = ticketOf(account, event.ticketId);
    const isWanted = ({ lease }: UnreportedTurn) => lease.attempt === event.attempt && lease.turn === event.turn;
    const turn = unreported.findLast(isWanted) ?? (event.turn === 0 ? unreported.at(-1) : undefined);
    if (turn === undefined) return undefined;
    unreported.splice(unreported.indexOf(turn), 1);
    pendingTurns.push({ ...turn, replaced: true });
    return turn;
  };
  const keep = (event: UsageEvent, part: Omit<RowPart, "key" | "attempts">, key: RowKey = rowKeyOf(event)) => {
    const attempts = [`${event.ticketId}#${event.attempt}`];
    accounts.get(event.budget)?.events.push({ bucket: Math.floor(event.at / times.bucketMs), part: { key, attempts, ...part } });
  };

  const factsOf = (account: Account, request: AdmissionRequest): AdmissionFacts => {
    const now = clock.now();
    const minute = minuteOf(account);
    const ticket = ticketOf(account, request.ticketId);
    const lease = account.leases.get(leaseIdOf(request.budget, request.ticketId));
    const batch = request.batchId === undefined ? undefined : batches.get(request.batchId);
    return {
      limitMicroUsd: account.definition.limitMicroUsd,
      controls: account.controls,
      spentMicroUsd: account.spent,
      committedMicroUsd: committedOf(account),
      running: account.leases.size,
      startedThisMinute: minute.started,
      spentThisMinuteMicroUsd: minute.spent,
      ticketSpentMicroUsd: ticket.spent,
      ticketCancelled: ticket.cancelled === true,
      ticketBegun: ticket.begun === true,
      ...(lease === undefined ? {} : { lease: { leaseId: lease.leaseId, since: lease.since, reservedMicroUsd: lease.reserved } }),
      ...(batch === undefined ? {} : { batch }),
      minuteMs: times.minuteMs,
      periodEndsAt: periodAt(account.definition, now).endsAt,
    };
  };

  return {
    batches,
    async define(definition) {
      const found = open(definition.id);
      const periodStart = periodAt(definition, clock.now()).startsAt;
      if (found !== undefined) {
        found.definition = definition;
        found.periodStart = periodStart;
        return { kind: "defined" };
      }
      if (accounts.size >= maxBudgets) return { kind: "full", max: maxBudgets };
      accounts.set(definition.id, {
        definition,
        controls: { ...openControls, version: 1 },
        periodStart,
        spent: 0,
        estimated: 0,
        leases: new Map(),
        minutes: new Map(),
        tickets: new Map(),
        queues: new Set(),
        batches: new Set(),
        events: [],
      });
      return { kind: "defined" };
    },
    async read(id) {
      const account = open(id);
      if (account === undefined) return undefined;
      return stateOf(account);
    },
    summaries: async () =>
      [...accounts.keys()].sort().flatMap((id) => {
        const account = open(id);
        return account === undefined ? [] : [summaryOf(account)];
      }),
    states: async () =>
      [...accounts.keys()].sort().flatMap((id) => {
        const account = open(id);
        return account === undefined ? [] : [stateOf(account)];
      }),
    async endExpiredLeases() {
      for (const id of accounts.keys()) open(id);
    },
    list: async () => [...accounts.keys()].sort(),
    async compareAndSet(id, expectedVersion, change) {
      const account = open(id);
      if (account === undefined) throw new Error(`there is no budget ${id}`);
      const { version, ...current } = account.controls;
      if (version !== expectedVersion) return { set: hasChange(account.controls, change), controls: account.controls };
      const next = applyChange(current, change);
      account.controls = { ...next, version: version + 1 };
      if (next.gate !== current.gate || next.pausedUntil !== current.pausedUntil) {
        const until = next.pausedUntil === undefined ? {} : { pausedUntil: next.pausedUntil };
        log.push({ kind: "gate", at: clock.now(), budget: id, gate: next.gate, by: next.by, ...until });
      }
      return { set: true, controls: account.controls };
    },
    async running(id) {
      const leases = [...(open(id)?.leases.values() ?? [])];
      return leases.map(({ ticketId, leaseId, since, turn }) => ({ ticketId, leaseId, since, turn }));
    },
    async spend(id, from, to) {
      const first = Math.floor(from / times.bucketMs);
      const end = Math.ceil(to / times.bucketMs);
      return sumRows((open(id)?.events ?? []).filter(({ bucket }) => bucket >= first && bucket < end).map(({ part }) => part));
    },
    async admit(input) {
      const request = admissionRequestSchema.parse(input);
      const now = clock.now();
      const account = open(request.budget);
      if (account === undefined) {
        const detail = `There is no budget ${request.budget}.`;
        return { kind: "stop", reason: "unknown_budget", detail, retryAfterMs: times.minuteMs };
      }
      const held = account.leases.get(leaseIdOf(request.budget, request.ticketId));
      if (held !== undefined && request.turn > held.turn && !held.reported) {
        chargeUnreported(account, held);
        held.reserved = 0;
      }
      const facts = factsOf(account, request);
      const decision = decideAdmission(request, facts, now);
      const starts = facts.lease === undefined;
      const entry = { at: now, budget: request.budget, ticketId: request.ticketId, starts };
      if (decision.kind !== "admit") {
        log.push({ kind: decision.kind, ...entry, reason: decision.reason });
        return decision;
      }
      const leaseId = leaseIdOf(request.budget, request.ticketId);
      account.leases.set(leaseId, {
        leaseId,
        ticketId: request.ticketId,
        queue: request.queue,
        batchId: request.batchId ?? "",
        since: facts.lease?.since ?? now,
        attempt: request.attempt,
        turn: request.turn,
        estimate: request.estimateMicroUsd,
        reserved: request.estimateMicroUsd,
        expiresAt: now + times.leaseMs,
        reported: false,
      });
      if (starts) minuteOf(account).started += 1;
      const ticket = ticketOf(account, request.ticketId);
      ticket.begun = true;
      ticket.started ??= now;
      ticket.attempts = Math.max(ticket.attempts, request.attempt);
      account.queues.add(request.queue);
      if (request.batchId !== undefined) account.batches.add(request.batchId);
      log.push({ kind: "admitted", ...entry });
      return { kind: "admitted", leaseId, leaseMs: times.leaseMs };
    },
    async extend(budget, leaseId) {
      const lease = open(budget)?.leases.get(leaseId);
      if (lease === undefined) return false;
      lease.expiresAt = clock.now() + times.leaseMs;
      return true;
    },
    async release(input) {
      const { budget, ticketId, unused } = releaseSchema.parse(input);
      const account = open(budget);
      if (account !== undefined && !unused) endLease(account, leaseIdOf(budget, ticketId));
      account?.leases.delete(leaseIdOf(budget, ticketId));
    },
    async finish(input) {
      const { budget, ticketId, queue, outcome, variant, failureClass, unused } = releaseSchema.parse(input);
      const account = open(budget);
      if (account !== undefined && !unused) endLease(account, leaseIdOf(budget, ticketId));
      account?.leases.delete(leaseIdOf(budget, ticketId));
      if (account === undefined || outcome === undefined) return undefined;
      const ticket = ticketOf(account, ticketId);
      if (ticket.finished === true) return undefined;
      ticket.finished = true;
      const durationMs = clock.now() - (ticket.started ?? clock.now());
      const known = { ticketId, budget, queue, outcome, variant, costMicroUsd: ticket.spent, durationMs, attempts: ticket.attempts || 1 };
      return failureClass === undefined ? known : { ...known, failureClass };
    },
    record: async (events) => events.map((event) => recordOne(event)),
    async correct({ budget, provider, usageId, costMicroUsd, by, reason }) {
      const account = open(budget);
      if (account === undefined) return { kind: "unknown_budget" };
      const identity = identityOf({ budget, provider, id: usageId });
      const before = counted.get(identity);
      const turn = provider === unreportedName ? readUnreportedId(usageId) : undefined;
      const charged = turn === undefined ? undefined : ticketOf(account, turn.ticketId).unreported.find(({ at }) => at === turn.at);
      if (before === undefined && charged === undefined) return { kind: "unknown_id" };
      const historyId = turn === undefined ? usageId : `corrected:${usageId}`;
      const original =
        usage.findLast((event) => event.id === historyId && event.provider === provider && event.budget === budget) ??
        (charged === undefined ? usage.at(-1) : { ...eventOfUnreported(charged), id: historyId });
      if (original === undefined) return { kind: "unknown_id" };
      const { estimated: _, conflict: __, anomaly: ___, ...kept } = original;
      const event = { ...kept, costMicroUsd, correction: { by, reason }, ...(before === undefined ? {} : { revises: true as const }) };
      const group = { model: "", ticket: "", ...before?.group, costMicroUsd, basis: "corrected" } as const;
      const first = before ?? { at: event.at, countedAt: clock.now(), tokens: undefined };
      const next = { ...first, group, others: [] };
      return {
        kind: "corrected",
        usage: apply(account, event, { before, identity, decision: { kind: "completed", next, added: noTokens } }),
      };
    },
    async recordUnreported() {
      for (const id of accounts.keys()) open(id);
      return pendingTurns.splice(0).map((turn) => {
        const one = countedOfUnreported(turn);
        const amount = one.changeMicroUsd;
        const none = { inputTokens: 0, outputTokens: 0, unpricedTokens: 0, requests: turn.replaced ? -1 : 1 };
        keep(one.event, { costMicroUsd: amount, estimatedMicroUsd: amount, ...none }, unreportedRow);
        usage.push(one.event);
        return one;
      });
    },
    async cancelTicket(budget, ticketId) {
      const account = open(budget);
      if (account !== undefined) ticketOf(account, ticketId).cancelled = true;
    },
    admissions: async (limit) => log.slice(-limit),
    recentUsage: async (limit) => latestEvents(byTime()).slice(-limit).toReversed(),
    usageKept: async (from, to) => ({ count: usage.filter(({ at }) => at >= from && at < to).length, complete: true }),
    usagePages: async function* (from, to) {
      yield latestEvents(byTime().filter(({ at }) => at >= from && at < to));
    },
  };

  function recordOne(event: UsageEvent): UsageOutcome {
    const account = open(event.budget);
    if (account === undefined) return { kind: "unknown_budget" };
    const identity = identityOf(event);
    const before = counted.get(identity);
    const decision = decideReport(event, clock.now(), before);
    const marked = decision.conflict === undefined ? event : { ...event, conflict: decision.conflict };
    return apply(account, before === undefined ? marked : { ...marked, at: before.at, revises: true }, { before, identity, decision });
  }

  function apply(
    account: Account,
    event: UsageEvent,
    {
      before,
      identity,
      decision,
    }: { readonly before: CountedReport | undefined; readonly identity: string; readonly decision: ReportDecision },
  ): CountedUsage {
    const { kind, added, conflict, detail, pending } = decision;
    const lease = event.correction === undefined ? account.leases.get(leaseIdOf(event.budget, event.ticketId)) : undefined;
    const replaced = before === undefined ? takeUnreported(account, event) : undefined;
    const next = pending === undefined ? decision.next : priced(decision.next, pending, estimateOf(event, replaced, lease));
    const charged = chargedOf(next);
    const estimated = isEstimate(charged.basis) ? charged.costMicroUsd : 0;
    const already = chargeOf(before);
    const change = charged.costMicroUsd - already.costMicroUsd;
    const { estimated: _, ...bare } = event;
    const source = charged.basis === "exact" || charged.basis === "corrected" ? {} : { estimated: charged.basis };
    const one: CountedUsage = {
      kind,
      event: { ...bare, ...source, costMicroUsd: charged.costMicroUsd },
      changeMicroUsd: change,
      estimatedChangeMicroUsd: estimated - already.estimatedMicroUsd,
      added,
      ...(conflict === undefined ? {} : { conflict }),
      ...(detail === undefined ? {} : { detail }),
    };
    const isSame = before !== undefined && encodeCounted(next) === encodeCounted(before);
    if (isSame) return one;
    counted.set(identity, next);
    const charge = change - (replaced?.amount ?? 0);
    if (lease !== undefined) {
      if (replaced === undefined) {
        lease.reserved -= Math.min(lease.reserved, Math.max(0, charge));
        lease.reported = true;
      }
      lease.expiresAt = clock.now() + times.leaseMs;
    }
    addSpent(account, charge, Math.min(before?.countedAt ?? clock.now(), replaced?.at ?? clock.now()));
    addEstimated(account, one.estimatedChangeMicroUsd - (replaced?.amount ?? 0));
    minuteOf(account).spent += Math.max(0, charge);
    const ticket = ticketOf(account, event.ticketId);
    ticket.spent += charge;
    ticket.started ??= clock.now();
    ticket.attempts = Math.max(ticket.attempts, event.attempt);
    chargeBatch(event.batchId ?? "", charge);
    keep(event, {
      costMicroUsd: change,
      estimatedMicroUsd: one.estimatedChangeMicroUsd,
      requests: before === undefined ? 1 : 0,
      inputTokens: inputTokens(added),
      outputTokens: added.output,
      unpricedTokens: unpricedOf(next) - (before === undefined ? 0 : unpricedOf(before)),
    });
    if (kind !== "conflict" || change !== 0) usage.push(one.event);
    return one;
  }

  function estimateOf(event: UsageEvent, replaced: UnreportedTurn | undefined, lease: Lease | undefined) {
    const reservation = replaced?.amount ?? lease?.estimate ?? 0;
    if (reservation > 0) return { costMicroUsd: reservation, basis: "reservation" } as const;
    return estimateCost(event.operation, usage.slice(-maxEstimateEvents));
  }
}

function priced(report: CountedReport, pending: number, estimate: Pick<CountedGroup, "costMicroUsd" | "basis">): CountedReport {
  if (pending === 0) return { ...report, group: { ...report.group, ...estimate } };
  return { ...report, others: report.others.map((other, index) => (index + 1 === pending ? { ...other, ...estimate } : other)) };
}

function unpricedOf({ group, tokens }: CountedReport): number {
  return tokens === undefined || !isEstimate(group.basis) ? 0 : inputTokens(tokens) + tokens.output;
}
