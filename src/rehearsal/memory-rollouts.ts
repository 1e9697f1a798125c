import { bucketOf } from "../../packages/sdk/src/assignment.ts";
import type { ArmCounts, Rollout, RolloutAssignment, RolloutStratum } from "../../packages/sdk/src/wire/rollouts.ts";
import type { endStates } from "../../packages/sdk/src/wire/tickets.ts";
import type { Clock, Instant } from "../core/clock.ts";
import type { MicroUsd } from "../core/money.ts";
import {
  afterChange,
  byEnd,
  firstVersion,
  isCounting,
  isLive,
  isSameRollout,
  maxLiveRollouts,
  maxOverdueAtOnce,
  maxRolloutTickets,
  type RolloutStore,
  rolloutRetentionMs,
  rolloutTarget,
  shareAt,
} from "../llm/rollouts/rollout.ts";

type EndState = (typeof endStates)[number];

/** Rollouts in memory, and what happens to their tickets, which admission, usage and release say of real ones. */
export interface MemoryRollouts extends RolloutStore {
  /** Counts a ticket at its first exposure to each rollout. */
  expose(ticketId: string, assignments: readonly RolloutAssignment[]): void;
  /** Adds to the cost of a ticket; undefined: it is not known. */
  spend(ticketId: string, costMicroUsd: MicroUsd | undefined): void;
  /** Ends a ticket, once, in every rollout that has counted it. */
  end(ticketId: string, outcome: EndState): void;
}

type TicketState = "open" | "misassigned" | "outside" | "succeeded" | "failed" | "overdue" | "cancelled";

interface CountedTicket {
  readonly arm: RolloutAssignment["arm"];
  readonly step: number;
  readonly exposedAt: Instant;
  state: TicketState;
  endedAt: Instant;
  quality: number;
  costMicroUsd: MicroUsd;
  unpriced: boolean;
}

interface Entry {
  rollout: Rollout;
  /** First share that tickets were given, and when. */
  began: Instant | undefined;
  smallestShare: number | undefined;
  readonly stepOfShare: Map<number, number>;
  readonly tickets: Map<string, CountedTicket>;
}

/** The store's contract in memory, for rehearsals and tests: one thread, so every call is atomic. `initial` are there from the beginning. */
export function createMemoryRollouts(clock: Pick<Clock, "now">, initial: readonly Rollout[] = []): MemoryRollouts {
  const entries = new Map<string, Entry>(initial.map((rollout) => [rollout.id, counting(entryOf(rollout), clock.now())]));
  const spent = new Map<string, { costMicroUsd: MicroUsd; unpriced: boolean }>();
  const ended = new Map<string, EndState>();
  const liveOf = (target: string) =>
    [...entries.values()].map(({ rollout }) => rollout).find((one) => isLive(one) && rolloutTarget(one.subject) === target);

  const dropExpired = () => {
    for (const [id, { rollout }] of entries)
      if (rollout.endedAt !== undefined && rollout.endedAt + rolloutRetentionMs < clock.now()) entries.delete(id);
  };
  const settle = (ticketId: string) => {
    const reported = spent.get(ticketId);
    for (const entry of entries.values()) {
      const ticket = entry.tickets.get(ticketId);
      if (ticket === undefined) continue;
      const outcome = ended.get(ticketId);
      if (ticket.state === "open" && outcome !== undefined) endTicket(ticket, outcome, entry.rollout.plan.deadlineMs);
      ticket.costMicroUsd = reported?.costMicroUsd ?? 0;
      // Work that succeeded has used a model; a ticket that failed may have done so before its first request.
      ticket.unpriced = reported?.unpriced ?? ticket.state === "succeeded";
    }
  };
  const endTicket = (ticket: CountedTicket, outcome: EndState, deadlineMs: number) => {
    const state = outcome === "succeeded" || outcome === "cancelled" ? outcome : "failed";
    ticket.endedAt = clock.now();
    ticket.state = ticket.endedAt - ticket.exposedAt > deadlineMs ? "overdue" : state;
    ticket.quality = ticket.state === "succeeded" ? 1 : 0;
  };

  return {
    async create(wanted) {
      dropExpired();
      const rollout = firstVersion(wanted, clock.now());
      const present = entries.get(rollout.id)?.rollout;
      if (present !== undefined) return { kind: isSameRollout(present, rollout) ? "exists" : "taken", rollout: present };
      const busy = liveOf(rolloutTarget(rollout.subject));
      if (busy !== undefined) return { kind: "busy", rollout: busy };
      if ([...entries.values()].filter((entry) => isLive(entry.rollout)).length >= maxLiveRollouts) return { kind: "too_many" };
      entries.set(rollout.id, entryOf(rollout));
      return { kind: "created", rollout };
    },
    read: async (id) => entries.get(id)?.rollout,
    list: async () => [...entries.values()].map(({ rollout }) => rollout).toSorted(byEnd),
    liveOf: async (target) => liveOf(target),
    async change(change) {
      const entry = entries.get(change.id);
      const rollout = entry?.rollout.version === change.expected ? afterChange(entry.rollout, change, clock.now()) : undefined;
      if (entry === undefined || rollout === undefined) return { kind: "conflict", rollout: entry?.rollout };
      entry.rollout = rollout;
      counting(entry, clock.now());
      return { kind: "set", rollout };
    },
    async strata(id) {
      const entry = entries.get(id);
      if (entry === undefined) return [];
      const shares = new Map([...entry.stepOfShare].map(([share, step]) => [step, share]));
      const strata = new Map<number, { readonly [Arm in RolloutAssignment["arm"]]: Counts }>();
      for (const ticket of entry.tickets.values()) {
        const { step, state } = ticket;
        if (state === "misassigned" || state === "outside") continue;
        let stratum = strata.get(step);
        if (stratum === undefined) strata.set(step, (stratum = { canary: noCounts(), baseline: noCounts() }));
        count(stratum[ticket.arm], ticket);
      }
      return [...strata]
        .toSorted(([one], [other]) => one - other)
        .map(([step, arms]): RolloutStratum => ({ step, share: shares.get(step) ?? 0, ...arms }));
    },
    misassigned: async (id) => [...(entries.get(id)?.tickets.values() ?? [])].filter(({ state }) => state === "misassigned").length,
    exposedSince: async (id, arm, since) =>
      [...(entries.get(id)?.tickets.values() ?? [])].filter((one) => one.arm === arm && one.exposedAt >= since).length,
    async failOverdue(id, now) {
      const { rollout, tickets } = entries.get(id) ?? { tickets: new Map<string, CountedTicket>() };
      if (rollout === undefined) return 0;
      const { deadlineMs } = rollout.plan;
      const overdue = [...tickets.values()].filter(({ state, exposedAt }) => state === "open" && now - exposedAt > deadlineMs);
      const first = overdue.slice(0, maxOverdueAtOnce);
      for (const ticket of first) {
        ticket.state = "overdue";
        ticket.endedAt = now;
      }
      return first.length;
    },
    async reviseQuality({ ticketId, quality }) {
      const counts = { revised: 0, unchanged: 0, late: 0, open: 0 };
      for (const { rollout, tickets } of entries.values()) {
        const ticket = tickets.get(ticketId);
        if (ticket?.state === "open") counts.open += 1;
        if (ticket?.state === "overdue") counts.late += 1;
        if (ticket?.state !== "succeeded" && ticket?.state !== "failed") continue;
        if (clock.now() - ticket.endedAt > rollout.plan.lagMs) counts.late += 1;
        else if (ticket.quality === quality) counts.unchanged += 1;
        else {
          ticket.quality = quality;
          counts.revised += 1;
        }
      }
      if (counts.revised > 0) return { kind: "revised", rollouts: counts.revised };
      if (counts.unchanged > 0) return { kind: "unchanged", rollouts: counts.unchanged };
      if (counts.late > 0) return { kind: "too_late" };
      return { kind: counts.open > 0 ? "not_ended" : "unknown_ticket" };
    },
    expose(ticketId, assignments) {
      for (const assignment of assignments) {
        const entry = entries.get(assignment.rollout);
        if (entry === undefined || entry.tickets.has(ticketId) || entry.tickets.size >= maxRolloutTickets) continue;
        entry.tickets.set(ticketId, {
          ...placeOf(entry, assignment, { ticketId, now: clock.now() }),
          arm: assignment.arm,
          exposedAt: clock.now(),
          endedAt: 0,
          quality: 0,
          costMicroUsd: 0,
          unpriced: false,
        });
      }
      settle(ticketId);
    },
    spend(ticketId, costMicroUsd) {
      const before = spent.get(ticketId) ?? { costMicroUsd: 0, unpriced: false };
      spent.set(ticketId, {
        costMicroUsd: before.costMicroUsd + (costMicroUsd ?? 0),
        unpriced: before.unpriced || costMicroUsd === undefined,
      });
      settle(ticketId);
    },
    end(ticketId, outcome) {
      if (!ended.has(ticketId)) ended.set(ticketId, outcome);
      settle(ticketId);
    },
  };
}

function entryOf(rollout: Rollout): Entry {
  return { rollout, began: undefined, smallestShare: undefined, stepOfShare: new Map([[0, -1]]), tickets: new Map() };
}

/** Remembers the share that tickets are given from now on. */
function counting(entry: Entry, now: Instant): Entry {
  const { rollout } = entry;
  if (!isCounting(rollout)) return entry;
  const share = shareAt(rollout.plan, rollout.step);
  entry.began ??= now;
  entry.smallestShare = Math.min(entry.smallestShare ?? share, share);
  if (!entry.stepOfShare.has(share)) entry.stepOfShare.set(share, rollout.step);
  return entry;
}

/** The step and state of a ticket at its exposure, as rollouts.lua decides them. */
function placeOf(
  entry: Entry,
  { arm, share }: RolloutAssignment,
  { ticketId, now }: { readonly ticketId: string; readonly now: Instant },
): { readonly step: number; readonly state: TicketState } {
  const { rollout, began, smallestShare } = entry;
  const bucket = bucketOf(rollout.salt, ticketId);
  const step = share === undefined ? rollout.step : entry.stepOfShare.get(share);
  const isLate = began !== undefined && now >= began + rollout.plan.deadlineMs;
  const isPossible =
    share !== undefined
      ? (arm === "canary") === bucket < share
      : arm === "canary"
        ? bucket < rollout.largestShare
        : smallestShare === undefined || bucket >= smallestShare || !isLate;
  if (step === undefined || !isPossible) return { step: step ?? -1, state: "misassigned" };
  return { step, state: isCounting(rollout) && step >= 0 ? "open" : "outside" };
}

type Counts = { -readonly [Field in keyof ArmCounts]-?: NonNullable<ArmCounts[Field]> };

function noCounts(): Counts {
  const none = { exposed: 0, ended: 0, succeeded: 0, overdue: 0, cancelled: 0, unpriced: 0 };
  return { ...none, quality: 0, qualitySquares: 0, costMicroUsd: 0, costSquares: 0, costQuality: 0 };
}

/** One pass over the tickets: a rehearsal looks at its rollouts hundreds of times. */
function count(arm: Counts, { state, unpriced, quality, costMicroUsd }: CountedTicket): void {
  arm.exposed += 1;
  if (state === "cancelled") arm.cancelled += 1;
  if (state !== "succeeded" && state !== "failed" && state !== "overdue") return;
  arm.ended += 1;
  if (state === "succeeded") arm.succeeded += 1;
  if (state === "overdue") arm.overdue += 1;
  arm.quality += quality;
  arm.qualitySquares += quality ** 2;
  if (unpriced) arm.unpriced += 1;
  else {
    arm.costMicroUsd += costMicroUsd;
    arm.costSquares += costMicroUsd ** 2;
    arm.costQuality += costMicroUsd * quality;
  }
}
