import { expect, it } from "@jest/globals";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { contractTimes } from "../../../test/contracts/describe-budget-ledger.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryBudgetLedger } from "../../../test/fakes/memory-budget-ledger.ts";
import { createMemoryChangeLog } from "../../../test/fakes/memory-change-log.ts";
import { startHttp } from "../../../test/servers/http-harness.ts";
import { createPriceTable } from "../usage/price-table.ts";
import { shippedPrices } from "../usage/prices.ts";
import { createCostRoutes } from "./routes.ts";

it("explains the window against the one before, and refuses windows that are out of order or half a baseline", async () => {
  const clock = createFakeClock();
  const now = clock.now();
  const ledger = createMemoryBudgetLedger({ clock, times: contractTimes });
  await ledger.define({ id: "checkout", limitMicroUsd: 1e9, periodMs: 3_600_000, periodStartsAt: now });
  const agos = [...Array.from({ length: 40 }, (_, nth) => 250 * nth + 250), ...Array.from({ length: 10 }, (_, nth) => 10_001 + 1000 * nth)];
  await ledger.record(agos.map((ago) => aUsageEvent({ id: `r${ago}`, at: now - ago, ticketId: `T-${ago}` }, now)));
  await using http = await startHttp({
    routes: createCostRoutes({ ledger, prices: createPriceTable(shippedPrices), changes: createMemoryChangeLog() }),
  });
  const ask = async (query: string) => {
    const response = await fetch(`${http.url}/api/costs/explanation?${query}`, { headers: { authorization: "Bearer viewer-token" } });
    return { status: response.status, body: Object(await response.json()) };
  };
  const [from, to] = [now - 10_000, now];
  const { status, body } = await ask(`from=${from}&to=${to}`);
  expect(status).toBe(200);
  expect(body).toMatchObject({ kind: "explained", verdict: "diffuse", baselineFrom: from - 10_000, baselineTo: from, requests: 40 });
  expect(body.factors[0]).toEqual({
    factor: "tickets",
    changeMicroUsd: expect.closeTo(90_000, 6),
    share: expect.closeTo(1, 9),
    times: expect.closeTo(4, 9),
  });
  expect((await ask(`from=${from}&to=${to}&budget=other`)).body).toMatchObject({ verdict: "no_spend", budget: "other" });
  for (const query of [
    `from=${to}&to=${from}`,
    `from=${from}`,
    `from=${from}&to=${to}&baselineFrom=0`,
    `from=${from}&to=${to}&baselineFrom=${from - 1}&baselineTo=${to}`,
    `from=0&to=${to}`,
  ]) {
    expect([query, (await ask(query)).status]).toEqual([query, 400]);
  }
});
