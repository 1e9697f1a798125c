import { expect, it } from "@jest/globals";
import { createRunbookdClient } from "../packages/sdk/src/client.ts";
import type { UsageNotice } from "../packages/sdk/src/usage-outbox.ts";
import { createWorkloadRoutes } from "../src/llm/budgets/admission-routes.ts";
import { realTimes } from "../src/llm/budgets/budget-ledger.ts";
import { createCorrectionRoutes } from "../src/llm/budgets/correction-routes.ts";
import { createBudgetLedger } from "../src/llm/budgets/redis-store.ts";
import { createPriceTable } from "../src/llm/usage/price-table.ts";
import { shippedPrices } from "../src/llm/usage/prices.ts";
import { aUsageReport } from "./builders/a-usage-report.ts";
import { createFakeClock } from "./fakes/fake-clock.ts";
import { holdRedis } from "./servers/hold-redis.ts";
import { startHttp } from "./servers/http-harness.ts";

const held = holdRedis(["--appendfsync", "no"]);

it("closes a budget of $0.10 although nothing that is reported can be read, until a person says what it cost", async () => {
  await held.redis.flushall();
  const clock = createFakeClock(Date.now());
  const counts = { countsOf: async (budgets: readonly string[]) => budgets.map(() => ({ queued: 0, queues: [], batches: [] })) };
  const ledger = createBudgetLedger({ redis: held.redis, clock, times: realTimes, counts });
  const publish = () => undefined;
  const routes = [
    createWorkloadRoutes({ ledger, prices: createPriceTable(shippedPrices), publish, clock }),
    createCorrectionRoutes({ ledger, publish }),
  ].flat();
  const http = await startHttp({ routes });
  try {
    await ledger.define({ id: "checkout", limitMicroUsd: 100_000, periodMs: 86_400_000, periodStartsAt: clock.now() });
    const notices: UsageNotice[] = [];
    const client = createRunbookdClient({ url: http.url, token: "workload-token", onUsageNotice: (notice) => notices.push(notice) });
    const work = async (turn: number) => {
      const answer = await client.admit({ ticketId: "T-1", budget: "checkout", turn, estimateMicroUsd: 20_000 });
      if (answer.kind !== "admitted") return answer.reason;
      // What AI SDK 5 gives for Anthropic: the writes to the cache are missing.
      const usage = { inputTokens: 9000, outputTokens: 10, totalTokens: 9010, cachedInputTokens: 8000 };
      client.reportUsage(aUsageReport({ id: `msg_${turn}`, turn, usage }));
      return answer.kind;
    };
    const answers = [];
    for (let turn = 0; turn < 7; turn += 1) answers.push(await work(turn));
    expect(answers).toEqual(["admitted", "admitted", "admitted", "admitted", "admitted", "budget_exhausted", "budget_exhausted"]);
    expect(await ledger.read("checkout")).toMatchObject({ spentMicroUsd: 100_000, estimatedMicroUsd: 100_000 });
    expect(notices.map(({ kind, report }) => `${kind} ${report.id}`)).toEqual([0, 1, 2, 3, 4].map((turn) => `estimated msg_${turn}`));
    const response = await fetch(`${http.url}/api/budgets/checkout/corrections`, {
      method: "POST",
      headers: { authorization: "Bearer operator-token", "content-type": "application/json" },
      body: JSON.stringify({ provider: "anthropic", usageId: "msg_0", costMicroUsd: 500, reason: "as on the invoice" }),
    });
    expect(await response.json()).toMatchObject({ changeMicroUsd: -19_500, event: { id: "msg_0", costMicroUsd: 500 } });
    expect(await ledger.read("checkout")).toMatchObject({ spentMicroUsd: 80_500, estimatedMicroUsd: 80_000 });
    await client.close();
  } finally {
    await http[Symbol.asyncDispose]();
  }
});
