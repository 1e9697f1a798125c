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
import { type RowPart, rowKeyOf, sumRows } from "../../src/llm/budgets/spend-row.ts";
import { inputTokens, unpricedTokens } from "../../src/llm/usage/token-partition.ts";

interface Lease {
  readonly leaseId: string;
  readonly ticketId: string;
  readonly since: number;
  turn: number;
  reserved: number;
  expiresAt: number;
}

interface Account {
  definition: Budget;
  controls: BudgetControls;
  periodStart: number;
  spent: number;
  readonly leases: Map<string, Lease>;
  readonly minutes: Map<number, { started: number; spent: number }>;
  readonly tickets: Map<
    string,
    { spent: number; started?: number; attempts: number; cancelled?: boolean; finished?: boolean; begun?: boolean }
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
  const seen = new Set<string>();
  const usage: UsageEvent[] = [];
  const log: AdmissionLogEntry[] = [];

  const open = (id: string): Account | undefined => {
    const account = accounts.get(id);
    if (account === undefined) return undefined;
    const now = clock.now();
    for (const lease of account.leases.values()) if (lease.expiresAt <= now) account.leases.delete(lease.leaseId);
    const { periodMs } = account.definition;
    if (now >= account.periodStart + periodMs) {
      account.periodStart += Math.floor((now - account.periodStart) / periodMs) * periodMs;
      account.spent = 0;
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
      committedMicroUsd: committedOf(account),
      allowanceMicroUsdPerSecond: allowanceAt(account.definition, now),
      periodRemainingSeconds: periodRemainingSeconds(account.definition, now),
      queues: [...account.queues].sort(),
    };
  };
  const ticketOf = (account: Account, id: string) => {
    const ticket = account.tickets.get(id) ?? { spent: 0, attempts: 0 };
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
      return { ...summaryOf(account), running: account.leases.size, queued: 0, batches: [...account.batches].sort() };
    },
    summaries: async () =>
      [...accounts.keys()].sort().flatMap((id) => {
        const account = open(id);
        return account === undefined ? [] : [summaryOf(account)];
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
        since: facts.lease?.since ?? now,
        turn: request.turn,
        reserved: request.estimateMicroUsd,
        expiresAt: now + times.leaseMs,
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
      const { budget, ticketId } = releaseSchema.parse(input);
      open(budget)?.leases.delete(leaseIdOf(budget, ticketId));
    },
    async finish(input) {
      const { budget, ticketId, queue, outcome, variant, failureClass } = releaseSchema.parse(input);
      const account = open(budget);
      account?.leases.delete(leaseIdOf(budget, ticketId));
      if (account === undefined || outcome === undefined) return undefined;
      const ticket = ticketOf(account, ticketId);
      if (ticket.finished === true) return undefined;
      ticket.finished = true;
      const durationMs = clock.now() - (ticket.started ?? clock.now());
      const known = { ticketId, budget, queue, outcome, variant, costMicroUsd: ticket.spent, durationMs, attempts: ticket.attempts || 1 };
      return failureClass === undefined ? known : { ...known, failureClass };
    },
    record: async (events) =>
      events.map((event) => {
        const account = open(event.budget);
        if (account === undefined) return "unknown_budget";
        if (seen.has(event.id)) return "duplicate";
        seen.add(event.id);
        const lease = account.leases.get(leaseIdOf(event.budget, event.ticketId));
        if (lease !== undefined) {
          lease.reserved -= Math.min(lease.reserved, event.costMicroUsd);
          lease.expiresAt = clock.now() + times.leaseMs;
        }
        account.spent += event.costMicroUsd;
        minuteOf(account).spent += event.costMicroUsd;
        const ticket = ticketOf(account, event.ticketId);
        ticket.spent += event.costMicroUsd;
        ticket.started ??= clock.now();
        ticket.attempts = Math.max(ticket.attempts, event.attempt);
        const batch = event.batchId === undefined ? undefined : batches.get(event.batchId);
        if (batch !== undefined && event.batchId !== undefined) {
          batches.set(event.batchId, { ...batch, spentMicroUsd: batch.spentMicroUsd + event.costMicroUsd });
        }
        account.events.push({
          bucket: Math.floor(event.at / times.bucketMs),
          part: {
            key: rowKeyOf(event),
            costMicroUsd: event.costMicroUsd,
            requests: 1,
            inputTokens: inputTokens(event.tokens),
            outputTokens: event.tokens.output,
            unpricedTokens: unpricedTokens(event),
            attempts: [`${event.ticketId}#${event.attempt}`],
          },
        });
        usage.push(event);
        return "accepted";
      }),
    async cancelTicket(budget, ticketId) {
      const account = open(budget);
      if (account !== undefined) ticketOf(account, ticketId).cancelled = true;
    },
    admissions: async (limit) => log.slice(-limit),
    recentUsage: async (limit) => usage.slice(-limit).toReversed(),
    usageBetween: async (from, to) => ({ events: usage.filter(({ at }) => at >= from && at < to), complete: true }),
  };
}
