import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { Redis } from "ioredis";
import { batchLimitsSchema } from "../../../packages/sdk/src/wire/batches.ts";
import { newTicketSchema } from "../../../packages/sdk/src/wire/tickets.ts";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { contractTimes as times } from "../../../test/contracts/describe-budget-ledger.ts";
import { describeTicketFastPath } from "../../../test/contracts/describe-ticket-fast-path.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { workloadKeys as keys, shareIdOf } from "../../platform/redis/workload-keys.ts";
import { createBatchStore } from "../batches/redis-store.ts";
import { decideAdmission } from "../budgets/admission.ts";
import type { FinishedTicket } from "../budgets/budget-ledger.ts";
import { createLocalGate } from "../budgets/local-gate.ts";
import { createAdmissionStore } from "../budgets/redis-admissions.ts";
import { createBudgetLedger } from "../budgets/redis-store.ts";
import { createFastPath } from "./redis-fast-path.ts";
import { createTicketStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

async function open() {
  const { redis } = held;
  await redis.flushall();
  const clock = createFakeClock();
  const store = createTicketStore({ redis, clock });
  const ledger = createBudgetLedger({ redis, clock, times, counts: store });
  const ended: FinishedTicket[] = [];
  const publish = ({ ticket }: { readonly ticket: FinishedTicket }) => void ended.push(ticket);
  return { redis, clock, store, ledger, ended, publish, fastPath: createFastPath({ redis, clock, times, publish }) };
}

describeTicketFastPath("Redis", open);

const amount = fc.constantFrom(null, 0, 1, 2, 3000, 4000, 5000);
const few = fc.nat({ max: 3 });
const anyState = fc.record({
  limitMicroUsd: fc.constantFrom(0, 4000, 5000, 9000, 100_000, 100_000, 100_000),
  spent: fc.constantFrom(0, 0, 0, 5000),
  others: few,
  gate: fc.constantFrom("open", "open", "open", "open", "paused"),
  pausedUntil: fc.constantFrom(undefined, -1000, 1000),
  stopBefore: fc.constantFrom(undefined, undefined, 1000),
  limits: fc.record({
    concurrency: amount,
    ratePerMinute: amount,
    perTicketCapMicroUsd: amount,
    perMinuteCapMicroUsd: amount,
    maxAttempts: amount,
  }),
  minuteSpent: fc.constantFrom(0, 0, 3000, 4000),
  ticket: fc.record({
    state: fc.constantFrom("queued", "queued", "queued", "waiting", "running", "succeeded"),
    reason: fc.constantFrom("", "", "budget_paused", "recovery", "worker_lost"),
    stage: fc.constantFrom("", "", "", "plan"),
    attempt: fc.constantFrom(1, 1, 2, 5),
    turn: few,
    estimate: fc.constantFrom(0, 1000, 4000, 5000),
    spent: fc.constantFrom(undefined, 2000, 3000, 3001),
    cancelled: fc.constantFrom(undefined, undefined, undefined, undefined, "1"),
    begun: fc.constantFrom(undefined, "1"),
  }),
  hasLease: fc.constantFrom(false, false, false, false, true),
  batch: fc.option(
    fc.record({
      exists: fc.constantFrom(true, true, true, true, true, false),
      state: fc.constantFrom("open", "open", "open", "open", "done", "draft", "cancelled"),
      gate: fc.constantFrom("open", "open", "open", "paused"),
      limits: fc.record({
        maxCostMicroUsd: amount,
        perTicketCapMicroUsd: amount,
        concurrency: fc.constantFrom(null, null, 1, 2),
        ratePerMinute: fc.constantFrom(null, null, 1, 2),
        deadlineAt: fc.constantFrom(null, null, -1, 0, 1),
        maxFailureRatio: fc.constantFrom(1, 1, 0.5, 0),
        minForRatio: fc.constantFrom(1, 4),
        pilotTickets: fc.constantFrom(0, 0, 0, 2),
      }),
      adapted: fc.constantFrom(undefined, undefined, "1", "3"),
      thisMinute: fc.constantFrom(-1, 0),
      started: few,
      spent: fc.constantFrom(undefined, 2000),
      counts: fc.record({ succeeded: few, failed: few, dead: few, quarantined: few }),
      begun: few,
      pilotPassed: fc.constantFrom(undefined, "1"),
      unleased: fc.constantFrom(undefined, 0, 2000),
      leased: fc.constantFrom(undefined, 1000),
      leases: fc.constantFrom(undefined, 1, 2),
    }),
    { freq: 2 },
  ),
});
type RandomState = typeof anyState extends fc.Arbitrary<infer State> ? State : never;

const noLimits = { concurrency: null, ratePerMinute: null, perTicketCapMicroUsd: null, perMinuteCapMicroUsd: null, maxAttempts: null };
/** Admits; what a random state changes of it may refuse. */
const plainBatch = {
  exists: true,
  state: "open",
  gate: "open",
  limits: {
    maxCostMicroUsd: null,
    perTicketCapMicroUsd: null,
    concurrency: null,
    ratePerMinute: null,
    deadlineAt: null,
    maxFailureRatio: 1,
    minForRatio: 4,
    pilotTickets: 0,
  },
  adapted: undefined,
  thisMinute: 0,
  started: 0,
  spent: undefined,
  counts: { succeeded: 0, failed: 0, dead: 0, quarantined: 0 },
  begun: 0,
  pilotPassed: undefined,
  unleased: undefined,
  leased: undefined,
  leases: undefined,
} satisfies NonNullable<RandomState["batch"]>;
const plainState = {
  limitMicroUsd: 9000,
  spent: 0,
  others: 1,
  gate: "open",
  pausedUntil: undefined,
  stopBefore: undefined,
  limits: noLimits,
  minuteSpent: 3000,
  ticket: {
    state: "queued",
    reason: "",
    stage: "",
    attempt: 1,
    turn: 0,
    estimate: 4000,
    spent: 3000,
    cancelled: undefined,
    begun: undefined,
  },
  hasLease: false,
  batch: plainBatch,
} satisfies RandomState;

function mixed<Fields extends { readonly [name: string]: unknown }>(plain: Fields, random: Fields, changed: ReadonlySet<string>): Fields {
  return { ...plain, ...Object.fromEntries(Object.entries(random).filter(([name]) => changed.has(name))) };
}

const names = [
  ...new Set(
    [plainState, plainState.ticket, plainBatch, plainBatch.limits, plainBatch.counts, noLimits].flatMap((one) => Object.keys(one)),
  ),
];
const changes = fc.oneof({ weight: 3, arbitrary: fc.subarray(names, { maxLength: 5 }) }, { weight: 1, arbitrary: fc.subarray(names) });

/** Mostly a state that admits but for a few members, sometimes one without anything in common with it. */
const stateArbitrary = fc.tuple(anyState, changes).map(([random, list]): RandomState => {
  const changed = new Set(list);
  const { batch } = random;
  const limits = mixed<RandomState["limits"]>(noLimits, random.limits, changed);
  const ticket = mixed<RandomState["ticket"]>(plainState.ticket, random.ticket, changed);
  const top = { ...mixed<RandomState>(plainState, random, changed), limits, ticket };
  if (batch === null) return { ...top, batch };
  const ofBatch = {
    ...mixed<NonNullable<RandomState["batch"]>>(plainBatch, batch, changed),
    limits: mixed<NonNullable<RandomState["batch"]>["limits"]>(plainBatch.limits, batch.limits, changed),
    counts: mixed<NonNullable<RandomState["batch"]>["counts"]>(plainBatch.counts, batch.counts, changed),
  };
  return { ...top, batch: ofBatch };
});

const place = { id: "GH-1", budget: "checkout", queue: "default" };

/** Writes a random state; two calls write the same. */
async function openState(state: RandomState) {
  const bench = await open();
  const { redis, clock, store, ledger } = bench;
  const { ticket, batch } = state;
  const now = clock.now();
  const where = { ...place, ...(batch !== null && { batchId: "b" }) };
  await ledger.define({ id: "checkout", limitMicroUsd: 1_000_000, periodMs: 3_600_000, periodStartsAt: now });
  for (let index = 0; index < state.others; index += 1)
    await ledger.admit({ ticketId: `other-${index}`, budget: "checkout", estimateMicroUsd: 1000 });
  const { id, budget, queue } = place;
  await store.add(newTicketSchema.parse({ id, budget, queue, estimateMicroUsd: ticket.estimate, ...(batch !== null && { batchId: "b" }) }));
  if (batch !== null)
    await createBatchStore({ redis, clock }).create({ id: "b", budget, queue, limits: batchLimitsSchema.parse({}) }, false);
  if (state.hasLease)
    await ledger.admit({ ticketId: id, budget, queue, turn: ticket.turn, estimateMicroUsd: 1000, ...(batch !== null && { batchId: "b" }) });
  await ledger.define({ id: "checkout", limitMicroUsd: state.limitMicroUsd, periodMs: 3_600_000, periodStartsAt: now });
  const { gate, limits, pausedUntil, stopBefore } = state;
  const controls = {
    gate,
    reason: "",
    by: "",
    ...(pausedUntil !== undefined && { pausedUntil: now + pausedUntil }),
    ...(stopBefore !== undefined && { stopBefore: now + stopBefore }),
    limits,
  };
  await redis.hset(keys.budget(budget), { controls: JSON.stringify(controls), spent: state.spent, version: 7 });
  await setFields(redis, keys.minute(budget, Math.floor(now / times.minuteMs)), { spent: state.minuteSpent });
  const { state: ticketState, reason, stage, attempt, turn, spent, cancelled, begun } = ticket;
  await setFields(redis, keys.ticket(id), { state: ticketState, reason, stage, attempt, turn });
  await setFields(redis, keys.ticketSpend(budget, id), { spent, cancelled, begun });
  if (batch?.exists === false) await redis.del(keys.batch("b"));
  if (batch?.exists === true) {
    const { deadlineAt, ...others } = batch.limits;
    const { succeeded, failed, dead, quarantined } = batch.counts;
    await setFields(redis, keys.batch("b"), {
      state: batch.state,
      gate: batch.gate,
      limits: JSON.stringify({ ...others, deadlineAt: deadlineAt === null ? null : now + deadlineAt }),
      concurrency_now: batch.adapted,
      minute: Math.floor(now / times.minuteMs) + batch.thisMinute,
      minute_started: batch.started,
      spent: batch.spent,
      "tickets:succeeded": succeeded,
      "tickets:failed": failed,
      "tickets:dead": dead,
      "tickets:quarantined": quarantined,
      begun: batch.begun,
      pilot_passed: batch.pilotPassed,
    });
    const share = shareIdOf("b");
    await setFields(redis, keys.shares(budget), {
      [`unleased:${share}`]: batch.unleased,
      [`leased:${share}`]: batch.leased,
      [`leases:${share}`]: batch.leases,
    });
  }
  const request = {
    ticketId: id,
    budget,
    queue,
    turn,
    attempt,
    estimateMicroUsd: ticket.estimate,
    ...(batch !== null && { batchId: "b" }),
  };
  return { ...bench, now, where, request };
}

async function setFields(redis: Redis, key: string, fields: { readonly [name: string]: string | number | undefined }): Promise<void> {
  const present = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  if (present.length > 0) await redis.hset(key, ...present);
}

/** What is stored, without the ids of log entries; JSON as what it says. */
async function contents(redis: Redis): Promise<unknown> {
  const names = (await redis.keys("*")).toSorted();
  const read = async (name: string): Promise<unknown> => {
    switch (await redis.type(name)) {
      case "hash":
        return Object.fromEntries(Object.entries(await redis.hgetall(name)).map(([field, text]) => [field, valueOf(text)]));
      case "zset":
        return redis.zrange(name, "-inf", "+inf", "BYSCORE", "WITHSCORES");
      case "set":
        return (await redis.smembers(name)).toSorted();
      case "list":
        return (await redis.lrange(name, 0, -1)).map(valueOf);
      case "stream":
        return (await redis.xrange(name, "-", "+")).map(([, fields]) => fields);
      default:
        return redis.get(name);
    }
  };
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)] as const)));
}

function valueOf(text: string): unknown {
  return text.startsWith("{") ? JSON.parse(text) : text;
}

/** Cases that the script leaves to the gate whatever that decides. */
function isUsual({ ticket, gate, hasLease, batch }: RandomState): boolean {
  const { state, reason, stage } = ticket;
  const isWaiting = state === "queued" || (state === "waiting" && reason !== "recovery" && reason !== "worker_lost");
  const hasPlainBatch = batch === null || (batch.exists && (batch.limits.pilotTickets === 0 || batch.pilotPassed === "1"));
  return isWaiting && stage === "" && gate === "open" && !hasLease && hasPlainBatch;
}

/** Asks both about one state, and compares what they leave behind. Whether the fast path has begun the ticket. */
async function compare(state: RandomState): Promise<boolean> {
  const bench = await openState(state);
  const { redis, clock, where, request, now } = bench;
  const read = await createAdmissionStore({ redis, clock, times }).factsOf(request, now);
  if (read === undefined) throw new Error("there is a budget");
  const decision = decideAdmission(request, read.facts, now);
  const before = await contents(redis);
  const result = await bench.fastPath.begin(where, "worker");
  const after = await contents(redis);
  expect(result !== undefined).toBe(decision.kind === "admit" && isUsual(state));
  expect(result === undefined ? after : before).toEqual(before);
  if (result === undefined) return false;
  const slow = await openState(state);
  await slow.store.claim("GH-1", "worker");
  expect(await slow.ledger.admit(request)).toEqual(result.answer);
  await slow.store.write("GH-1", "worker", { state: "running", reason: "" });
  expect(await contents(slow.redis)).toEqual(after);
  expect(result.ticket).toEqual(await slow.store.get("GH-1"));
  return true;
}

const withTicket = (change: Partial<RandomState["ticket"]>): RandomState => ({
  ...plainState,
  ticket: { ...plainState.ticket, ...change },
});
const withLimits = (change: Partial<RandomState["limits"]>): RandomState => ({ ...plainState, limits: { ...noLimits, ...change } });
const withBatch = (change: Partial<NonNullable<RandomState["batch"]>>): RandomState => ({
  ...plainState,
  batch: { ...plainBatch, ...change },
});
const withBatchLimits = (
  limits: Partial<NonNullable<RandomState["batch"]>["limits"]>,
  change: Partial<NonNullable<RandomState["batch"]>> = {},
): RandomState => withBatch({ ...change, limits: { ...plainBatch.limits, ...limits } });

/** Both sides of each bound. */
const bounds: readonly (readonly [string, RandomState, boolean])[] = [
  ["nothing is limited", plainState, true],
  ["there is no batch", { ...plainState, batch: null }, true],
  ["the ticket waits for its worker's loss to be looked at", withTicket({ state: "waiting", reason: "worker_lost" }), false],
  ["the ticket waits for money", withTicket({ state: "waiting", reason: "budget_paused" }), true],
  ["the attempts suffice", withLimits({ maxAttempts: 1 }), true],
  ["the ticket has cost its cap", withLimits({ perTicketCapMicroUsd: 3000 }), true],
  [
    "the ticket has cost more than its cap",
    { ...withLimits({ perTicketCapMicroUsd: 3000 }), ticket: { ...plainState.ticket, spent: 3001 } },
    false,
  ],
  ["the minute has cost less than its cap", withLimits({ perMinuteCapMicroUsd: 4000 }), true],
  ["the minute has cost its cap", withLimits({ perMinuteCapMicroUsd: 3000 }), false],
  ["another place is free", withLimits({ concurrency: 2 }), true],
  ["no place is free", withLimits({ concurrency: 1 }), false],
  ["another ticket may start", withLimits({ ratePerMinute: 2 }), true],
  ["no other ticket may start", withLimits({ ratePerMinute: 1 }), false],
  ["the money suffices", { ...plainState, limitMicroUsd: 5000 }, true],
  ["the money does not suffice", { ...plainState, limitMicroUsd: 4000 }, false],
  ["the batch is paused", withBatch({ gate: "paused" }), false],
  ["the batch is a draft", withBatch({ state: "draft" }), false],
  ["the batch was cancelled", withBatch({ state: "cancelled" }), false],
  ["the batch is unknown", withBatch({ exists: false }), false],
  ["another place of the batch is free", withBatchLimits({ concurrency: 2 }, { leases: 1 }), true],
  ["no place of the batch is free", withBatchLimits({ concurrency: 2 }, { leases: 2 }), false],
  ["no place of the batch is free since it was adapted", withBatchLimits({ concurrency: 2 }, { leases: 1, adapted: "1" }), false],
  ["the batch was adapted to more places", withBatchLimits({ concurrency: 1 }, { leases: 2, adapted: "3" }), true],
  ["another ticket of the batch may start", withBatchLimits({ ratePerMinute: 2 }, { started: 1 }), true],
  ["no other ticket of the batch may start", withBatchLimits({ ratePerMinute: 2 }, { started: 2 }), false],
  ["tickets of the batch started in another minute", withBatchLimits({ ratePerMinute: 2 }, { started: 2, thisMinute: -1 }), true],
  ["the batch's deadline is later", withBatchLimits({ deadlineAt: 1 }), true],
  ["the batch's deadline is now", withBatchLimits({ deadlineAt: 0 }), false],
  ["the pilot has passed", withBatchLimits({ pilotTickets: 2 }, { pilotPassed: "1" }), true],
  ["the pilot runs", withBatchLimits({ pilotTickets: 2 }), false],
  ...(["failed", "dead", "quarantined"] as const).map((outcome) => {
    const counts = { ...plainBatch.counts, succeeded: 2, [outcome]: 2 };
    return [`half of the batch's tickets are ${outcome}`, withBatchLimits({ maxFailureRatio: 0.5 }, { counts }), false] as const;
  }),
  [
    "less than half of the batch's tickets failed",
    withBatchLimits({ maxFailureRatio: 0.5 }, { counts: { ...plainBatch.counts, succeeded: 3, failed: 2 } }),
    true,
  ],
  [
    "too few tickets of the batch have ended for a ratio",
    withBatchLimits({ maxFailureRatio: 0.5 }, { counts: { ...plainBatch.counts, failed: 3 } }),
    true,
  ],
];

describe("the fast path beside the full decision", () => {
  it.each(bounds)("decides alike where %s", async (_where, state, begins) => {
    expect(await compare(state)).toBe(begins);
  });

  it("takes a ticket only under the budget and batch that it belongs to", async () => {
    const { fastPath, ledger, where, redis } = await openState(plainState);
    await ledger.define({ id: "other", limitMicroUsd: 100_000, periodMs: 3_600_000, periodStartsAt: 0 });
    const before = await contents(redis);
    expect(await fastPath.begin({ ...where, budget: "other" }, "worker")).toBeUndefined();
    expect(await fastPath.begin({ id: where.id, budget: where.budget, queue: where.queue }, "worker")).toBeUndefined();
    expect(await contents(redis)).toEqual(before);
  });

  it("begins exactly what is usual and would be admitted, leaves the same behind, and changes nothing otherwise", async () => {
    const begun = { true: 0, false: 0 };
    await fc.assert(
      fc.asyncProperty(stateArbitrary, async (state) => {
        begun[`${await compare(state)}`] += 1;
      }),
      { numRuns: 300 },
    );
    expect(begun.true).toBeGreaterThan(60);
    expect(begun.false).toBeGreaterThan(60);
  }, 60_000);

  it.each(
    (["succeeded", "failed", "dead", "cancelled"] as const).flatMap((state) =>
      [true, false].flatMap((unused) => [true, false].map((isReported) => ({ state, unused, isReported }))),
    ),
  )("leaves the same behind as a write and a release when a ticket ends: %j", async ({ state, unused, isReported }) => {
    const run = async (isFast: boolean) => {
      const bench = await open();
      const { redis, clock, store, ledger, ended, publish, fastPath } = bench;
      await ledger.define({ id: "checkout", limitMicroUsd: 100_000, periodMs: 3_600_000, periodStartsAt: 0 });
      await createBatchStore({ redis, clock }).create({ ...place, id: "b", limits: batchLimitsSchema.parse({ pilotTickets: 0 }) }, false);
      await store.add(newTicketSchema.parse({ ...place, batchId: "b", externalRef: "acme/shop#1", kind: "bug", estimateMicroUsd: 4000 }));
      const begun = await fastPath.begin({ ...place, batchId: "b" }, "worker");
      if (begun === undefined) throw new Error("it begins");
      // The batch has reserved more than its open tickets may still need.
      await redis.hset(keys.batch("b"), "estimated_per_ticket", 5000);
      await redis.hset(keys.shares("checkout"), `unleased:${shareIdOf("b")}`, 20_000);
      if (isReported) await ledger.record([aUsageEvent({ id: "r1", ticketId: "GH-1", batchId: "b" }, clock.now())]);
      await clock.advance(1500);
      const change = { saved: { done: 1 }, turn: 1, failures: ["tool_error"] };
      const failure = state === "dead" ? { failureClass: "tool_error" } : {};
      if (isFast) await fastPath.end(begun.ticket, "worker", { state, reason: "why", change, unused, ...failure });
      else {
        await store.write("GH-1", "worker", { ...change, state, reason: "why" });
        const gate = createLocalGate({ ledger, publish });
        await gate.release({
          ticketId: "GH-1",
          budget: "checkout",
          queue: "default",
          kind: "bug",
          batchId: "b",
          outcome: state,
          unused,
          ...failure,
        });
      }
      return { contents: await contents(redis), ended };
    };
    const fast = await run(true);
    expect(fast).toEqual(await run(false));
    expect(fast.ended).toHaveLength(1);
  });
});
