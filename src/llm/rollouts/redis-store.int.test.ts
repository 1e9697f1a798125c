import { expect, it } from "@jest/globals";
import { aRollout } from "../../../test/builders/a-rollout.ts";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { contractTimes } from "../../../test/contracts/describe-budget-ledger.ts";
import { describeRolloutStore, type RolloutFixture, ticketsBetween } from "../../../test/contracts/describe-rollout-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { createBudgetLedger } from "../budgets/redis-store.ts";
import { createRolloutStore } from "./redis-store.ts";

const held = holdRedis(["--appendfsync", "no"]);

/** Tickets as applications report them: admission exposes, usage costs and release ends. */
async function open() {
  await held.redis.flushall();
  const clock = createFakeClock();
  const unknown: string[] = [];
  const counts = { countsOf: async (budgets: readonly string[]) => budgets.map(() => ({ queued: 0, queues: [], batches: [] })) };
  const unknownRollout = () => void unknown.push("unknown");
  const ledger = createBudgetLedger({ redis: held.redis, clock, times: contractTimes, counts, unknownRollout });
  await ledger.define({ id: "checkout", limitMicroUsd: Number.MAX_SAFE_INTEGER, periodMs: 3_600_000, periodStartsAt: 0 });
  let usage = 0;
  const used = (ticketId: string, costMicroUsd: number | undefined) => {
    usage += 1;
    const event = aUsageEvent({ id: `usage-${usage}`, ticketId }, clock.now());
    return costMicroUsd === undefined ? { ...event, costMicroUsd: 0, unpriced: "unknown_model" as const } : { ...event, costMicroUsd };
  };
  const fixture: RolloutFixture = {
    store: createRolloutStore({ redis: held.redis, clock }),
    clock,
    async expose(ticketId, assignments) {
      const answer = await ledger.admit({ ticketId, budget: "checkout", estimateMicroUsd: 0, assignments: [...assignments] });
      expect(answer.kind).toBe("admitted");
    },
    async spend(ticketId, costMicroUsd) {
      expect(await ledger.record([used(ticketId, costMicroUsd)])).toMatchObject([{ kind: "accepted" }]);
    },
    async end(ticketId, outcome) {
      await ledger.finish({ ticketId, budget: "checkout", outcome });
    },
  };
  return { ...fixture, ledger, used, unknown };
}

describeRolloutStore("Redis", open);

const [canary = "", otherCanary = ""] = ticketsBetween(0, 0.1, 2);
const [baseline = ""] = ticketsBetween(0.95, 1, 1);
const assignments = [{ rollout: "r1", arm: "canary" as const }];

async function running() {
  const fixture = await open();
  await fixture.store.create(aRollout());
  await fixture.store.change({ id: "r1", expected: 1, set: { state: "running", step: 0 } });
  return fixture;
}

it("exposes a ticket at its first usage, or at its release, when no admission did", async () => {
  const { ledger, store, used } = await running();
  await ledger.record([{ ...used(canary, 100), assignments }]);
  expect(await store.strata("r1")).toMatchObject([{ canary: { exposed: 1, ended: 0 } }]);
  await ledger.finish({ ticketId: canary, budget: "checkout", outcome: "succeeded" });
  await ledger.finish({ ticketId: otherCanary, budget: "checkout", outcome: "failed", assignments });
  expect(await store.strata("r1")).toMatchObject([{ canary: { exposed: 2, ended: 2, succeeded: 1, costMicroUsd: 100 } }]);
});

it("ends a ticket at once whose first usage comes after its end", async () => {
  const { ledger, store, used } = await running();
  await ledger.finish({ ticketId: canary, budget: "checkout", outcome: "succeeded" });
  await ledger.record([{ ...used(canary, 100), assignments }]);
  expect(await store.strata("r1")).toMatchObject([{ canary: { exposed: 1, ended: 1, quality: 1, costMicroUsd: 100 } }]);
});

it("follows a ticket to another budget: its usage there counts, and so does its end", async () => {
  const { ledger, store, used } = await running();
  await ledger.define({ id: "review", limitMicroUsd: 1_000_000, periodMs: 3_600_000, periodStartsAt: 0 });
  for (const budget of ["checkout", "review", "review"]) await ledger.admit({ ticketId: canary, budget, estimateMicroUsd: 0, assignments });
  await ledger.record([used(canary, 100), { ...used(canary, 30), budget: "review" }]);
  await ledger.finish({ ticketId: canary, budget: "review", outcome: "succeeded" });
  await ledger.record([used(canary, 5)]);
  await ledger.finish({ ticketId: canary, budget: "checkout", outcome: "failed" });
  expect(await store.strata("r1")).toMatchObject([{ canary: { exposed: 1, ended: 1, succeeded: 1, costMicroUsd: 135, unpriced: 0 } }]);
});

it("follows a ticket to eight budgets at most", async () => {
  const { ledger, store } = await running();
  for (let nth = 0; nth < 9; nth += 1) {
    await ledger.define({ id: `b${nth}`, limitMicroUsd: 1_000_000, periodMs: 3_600_000, periodStartsAt: 0 });
    await ledger.admit({ ticketId: canary, budget: `b${nth}`, estimateMicroUsd: 0, assignments });
  }
  await ledger.finish({ ticketId: canary, budget: "b8", outcome: "succeeded" });
  expect(await store.strata("r1")).toMatchObject([{ canary: { exposed: 1, ended: 0 } }]);
  await ledger.finish({ ticketId: canary, budget: "b7", outcome: "failed" });
  expect(await store.strata("r1")).toMatchObject([{ canary: { exposed: 1, ended: 1, succeeded: 0 } }]);
});

it("exposes no ticket that has to wait", async () => {
  const { ledger, store } = await running();
  await ledger.define({ id: "checkout", limitMicroUsd: 10, periodMs: 3_600_000, periodStartsAt: 0 });
  const answer = await ledger.admit({ ticketId: canary, budget: "checkout", estimateMicroUsd: 100, assignments });
  expect(answer).toMatchObject({ kind: "wait", reason: "budget_exhausted" });
  expect(await store.strata("r1")).toEqual([]);
});

it("hears of every assignment to a rollout that does not exist", async () => {
  const { expose, unknown } = await running();
  await expose(canary, [{ rollout: "r9", arm: "canary" }, ...assignments]);
  expect(unknown).toHaveLength(1);
});

it("takes no command for rollouts for a ticket without assignments", async () => {
  const { ledger, used } = await running();
  const counted = async () => {
    const info = await held.redis.info("commandstats");
    const calls = [...info.matchAll(/^cmdstat_(?!info|config)[^:]+:calls=(\d+)/gm)].map(([, count]) => Number(count));
    return calls.reduce((sum, count) => sum + count, 0);
  };
  // The scripts are loaded by the first ticket.
  for (const ticketId of ["T-1", "T-2"]) {
    await held.redis.config("RESETSTAT");
    await ledger.admit({ ticketId, budget: "checkout", estimateMicroUsd: 10 });
    await ledger.record([used(ticketId, 10)]);
    await ledger.finish({ ticketId, budget: "checkout", outcome: "succeeded" });
  }
  expect(await counted()).toBe(97);
});

it("keeps what a rollout counted for thirty days after its end, and forgets all of it together", async () => {
  const { expose, store, clock } = await running();
  await expose(canary, assignments);
  await store.change({ id: "r1", expected: 2, set: { state: "promoted" } });
  await expose(baseline, [{ rollout: "r1", arm: "baseline" }]);
  const names = [
    keys.rollout("r1"),
    keys.rolloutStrata("r1"),
    keys.rolloutTickets("r1"),
    keys.rolloutDeadlines("r1"),
    keys.rolloutCanaryTimes("r1"),
    keys.rolloutBaselineTimes("r1"),
  ];
  const left = await Promise.all(names.map((name) => held.redis.pttl(name)));
  expect(left.filter((ms) => ms > 29 * 86_400_000)).toHaveLength(names.length);
  await clock.advance(31 * 86_400_000);
  await held.redis.del(...names);
  await store.create(aRollout({ salt: "other" }));
  expect(await store.read("r1")).toMatchObject({ state: "planned", salt: "other" });
});
