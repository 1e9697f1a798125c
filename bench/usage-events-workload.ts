import type { Redis } from "ioredis";
import type { CostExplanation, CostQuestion } from "../packages/sdk/src/wire/costs.ts";
import type { UsageEvent } from "../packages/sdk/src/wire/usage.ts";
import { createSystemClock } from "../src/core/clock.ts";
import { dayMs } from "../src/core/duration.ts";
import { realTimes } from "../src/llm/budgets/budget-ledger.ts";
import { createBudgetLedger } from "../src/llm/budgets/redis-store.ts";
import { createChangeLog } from "../src/llm/changes/redis-store.ts";
import { explainCost } from "../src/llm/cost/explain-cost.ts";
import { createPriceTable } from "../src/llm/usage/price-table.ts";
import { shippedPrices } from "../src/llm/usage/prices.ts";
import { workloadKeys } from "../src/platform/redis/workload-keys.ts";
import { aUsageEvent } from "../test/builders/a-usage-report.ts";

/** Between two events; the newest one ended where the windows end. */
const stepMs = 10;
const chunk = 2000;
const end = Math.floor(Date.now() / 60_000) * 60_000;

/** The last `window` events, compared with nothing but themselves: the later half with the earlier one. */
export function usageWindow(window: number): CostQuestion {
  const half = Math.floor(window / 2) * stepMs;
  return { from: end - half, to: end, baselineFrom: end - 2 * half, baselineTo: end - half };
}

/** Writes events as `usage-record.lua` does, without the ledger's part, which takes minutes for a million. */
export async function seedUsage(redis: Redis, kept: number): Promise<void> {
  const one = aUsageEvent({ id: "r0", budget: "checkout" }, end);
  let bytes = 0;
  for (let start = 0; start < kept; start += chunk) {
    const members = Array.from({ length: Math.min(chunk, kept - start) }, (_, offset) => {
      const index = start + offset;
      const at = end - (index + 1) * stepMs;
      const event: UsageEvent = {
        ...one,
        id: `request-${index}`,
        at,
        prompt: `prompt-${index % 40}`,
        operation: `operation-${index % 7}`,
        ticketId: `ticket-${Math.floor(index / 12)}`,
        costMicroUsd: 1000 + (index % 500),
      };
      const number = String(index + 1);
      const member = `${String.fromCharCode(96 + number.length)}${number} ${JSON.stringify(event)}`;
      bytes += member.length + 100;
      return [at, member];
    });
    await redis.zadd(workloadKeys.usageEvents, ...members.flat().map(String));
  }
  await redis.hset(workloadKeys.usageEventsKept, { added: kept, bytes });
}

/** Explains a question, and records `count` events of now one after another, over a ledger that drops nothing. */
export async function createUsageBenchLedger(
  redis: Redis,
  count: number,
): Promise<{
  readonly explain: (question: CostQuestion) => Promise<CostExplanation>;
  readonly record: () => Promise<void>;
}> {
  const ledger = createBudgetLedger({
    redis,
    clock: createSystemClock(),
    times: realTimes,
    counts: { countsOf: async (budgets: readonly string[]) => budgets.map(() => ({ queued: 0, queues: [], batches: [] })) },
    usageRetention: { retentionMs: 35 * dayMs, maxBytes: 1e12 },
  });
  await ledger.define({ id: "checkout", limitMicroUsd: 1e12, periodMs: dayMs, periodStartsAt: 0 });
  const events = Array.from({ length: count }, (_, index) =>
    aUsageEvent({ id: `recorded-${index}`, budget: "checkout", at: end + 1000 + index }, end),
  );
  const sources = { ledger, prices: createPriceTable(shippedPrices), changes: createChangeLog(redis) };
  return {
    explain: async (question) => explainCost(sources, question),
    async record() {
      for (const event of events) await ledger.record([event]);
    },
  };
}
