import { expect, it } from "@jest/globals";
import type { UsageReport } from "../../../packages/sdk/src/wire/usage.ts";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { contractTimes } from "../../../test/contracts/describe-budget-ledger.ts";
import { aChange } from "../../../test/contracts/describe-change-log.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryBudgetLedger } from "../../../test/fakes/memory-budget-ledger.ts";
import { createMemoryChangeLog } from "../../../test/fakes/memory-change-log.ts";
import { createPriceTable } from "../usage/price-table.ts";
import { shippedPrices } from "../usage/prices.ts";
import { explainCost } from "./explain-cost.ts";

const prices = createPriceTable(shippedPrices);
const changes = createMemoryChangeLog();
const hour = 3_600_000;
const usage = { input_tokens: 200, cache_read_input_tokens: 9800, cache_creation_input_tokens: 0, output_tokens: 500 };
const uncached = { input_tokens: 10_000, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 500 };

/** Two hours: 60 tickets of each of three prompts in each hour, and in the second hour what a test changes. */
async function workload(changed: (prompt: string, nth: number) => readonly Partial<UsageReport>[]) {
  const clock = createFakeClock();
  const ledger = createMemoryBudgetLedger({ clock, times: contractTimes });
  for (const id of ["checkout", "search"]) {
    await ledger.define({ id, limitMicroUsd: 1e12, periodMs: 100 * hour, periodStartsAt: clock.now() - 10 * hour });
  }
  const begin = clock.now() - 2 * hour;
  const reports = [0, 1].flatMap((which) =>
    ["plan", "implement", "review"].flatMap((prompt) =>
      Array.from({ length: 60 }, (_, nth) => {
        const base = { at: begin + which * hour + nth * 60_000, prompt, operation: prompt, usage, ticketId: `${which}-${prompt}-${nth}` };
        return (which === 0 ? [{}] : changed(prompt, nth)).map((change, index) =>
          aUsageEvent({ ...base, budget: nth % 2 === 0 ? "checkout" : "search", ...change, id: `${base.ticketId}-${index}` }, clock.now()),
        );
      }).flat(),
    ),
  );
  await ledger.record(reports);
  return { ledger, question: { from: begin + hour, to: begin + 2 * hour, baselineFrom: begin, baselineTo: begin + hour } };
}

it("names a prompt whose cache is no longer read, the factor and what to do", async () => {
  const { ledger, question } = await workload((prompt) => [prompt === "implement" ? { usage: uncached } : {}]);
  const found = await explainCost({ ledger, prices, changes }, question);
  expect(found).toMatchObject({ kind: "explained", verdict: "attributed", requests: 180, baselineRequests: 180 });
  if (found.kind !== "explained") return;
  expect(found.segment).toEqual({ prompt: "implement", operation: "implement" });
  expect(found.factors[0]).toMatchObject({ factor: "cache_mix" });
  expect(found.advice).toContain("cache-optimization");
  const sum = found.factors.reduce((total, { changeMicroUsd }) => total + changeMicroUsd, 0);
  expect(sum).toBeCloseTo(found.segmentCostMicroUsd - found.segmentBaselineMicroUsd, 3);
});

it("tells attempts from turns, and a discounted tier from a smaller prompt", async () => {
  const retried = await workload((prompt) => (prompt === "plan" ? [{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }] : [{}]));
  expect(await explainCost({ ledger: retried.ledger, prices, changes }, retried.question)).toMatchObject({
    factors: [{ factor: "attempts_per_ticket" }, {}, {}, {}, {}, {}, {}],
  });
  // What was batched before is at list price now: twice the price, and nothing else.
  const { ledger, question } = await workload(() => [{ serviceTier: "batch" }]);
  const back = { from: question.baselineFrom, to: question.baselineTo, baselineFrom: question.from, baselineTo: question.to };
  const found = await explainCost({ ledger, prices, changes }, back);
  expect(found).toMatchObject({ kind: "explained", verdict: "diffuse", factors: [{ factor: "price" }, {}, {}, {}, {}, {}, {}] });
});

it("looks at one budget only when asked to", async () => {
  const { ledger, question } = await workload((_prompt, nth) => [nth % 2 === 0 ? { usage: uncached } : {}]);
  expect(await explainCost({ ledger, prices, changes }, { ...question, budget: "search" })).toMatchObject({
    verdict: "no_spike",
    requests: 90,
  });
  expect(await explainCost({ ledger, prices, changes }, question)).toMatchObject({
    verdict: "attributed",
    segment: { budget: "checkout" },
  });
});

it("dates the rise, tells its cost from then on, and names what was changed near it", async () => {
  const { ledger, question } = await workload((prompt, nth) =>
    prompt === "plan" && nth >= 20 ? [1, 2, 3, 4, 5].map((attempt) => ({ attempt })) : [{}],
  );
  const minute = 60_000;
  const told = createMemoryChangeLog();
  const release = aChange({ at: question.from + 19 * minute, dims: { prompt: "plan" } });
  await told.record(release);
  await told.record(aChange({ ref: "an older release", at: question.from - 20 * minute }));
  await told.record(aChange({ ref: "a later release", at: question.from + 30 * minute }));
  const found = await explainCost({ ledger, prices, changes: told }, question);
  expect(found).toMatchObject({
    kind: "explained",
    verdict: "attributed",
    beganAt: question.from + 20 * minute,
    coincides: [{ ...release, score: expect.closeTo((2 / 3) * Math.exp(-0.1), 6) }],
    factors: [{ factor: "attempts_per_ticket", times: expect.closeTo(5, 6) }, {}, {}, {}, {}, {}, {}],
  });
  // Forty minutes of both windows: five requests a minute more than usual in one of three prompts.
  if (found.kind !== "explained") return;
  expect(found.costMicroUsd / found.baselineMicroUsd).toBeCloseTo(7 / 3, 6);
});

it("counts a whole window whose rise is too late to be compared alone", async () => {
  const { ledger, question } = await workload((_prompt, nth) =>
    nth >= 55 ? Array.from({ length: 9 }, (_, attempt) => ({ attempt: attempt + 1 })) : [{}],
  );
  expect(await explainCost({ ledger, prices, changes }, question)).toMatchObject({ verdict: "diffuse", beganAt: question.from });
});

it("breaks cost down by team and repository where they are told", async () => {
  const { ledger, question } = await workload((_prompt, nth) => [
    { team: nth % 3 === 0 ? "blue" : "red", repo: nth % 3 === 0 ? "shop" : "docs", ...(nth % 3 === 0 && { usage: uncached }) },
  ]);
  expect(await explainCost({ ledger, prices, changes }, question)).toMatchObject({
    top: { team: [{ element: "blue" }, { element: "red" }], repo: [{ element: "shop" }, { element: "docs" }] },
  });
});

it("tells nothing from a part of a window", async () => {
  const { ledger, question } = await workload(() => [{}]);
  const usageKept = async (from: number, to: number) => ({ ...(await ledger.usageKept(from, to)), complete: false });
  const found = await explainCost({ ledger: { ...ledger, usageKept }, prices, changes }, question);
  expect(found).toMatchObject({ kind: "incomplete", reason: "not_kept", requests: 180 });
  expect(found).not.toHaveProperty("factors");
});

it("reads nothing of windows that have more events than one explanation reads, and says how many", async () => {
  const { ledger, question } = await workload(() => [{}]);
  const usagePages = () => {
    throw new Error("read");
  };
  const found = await explainCost({ ledger: { ...ledger, usagePages }, prices, changes }, question, 359);
  expect(found).toMatchObject({ kind: "incomplete", reason: "too_many_events", requests: 180, baselineRequests: 180 });
  expect(found).toMatchObject({ sentence: expect.stringContaining("have 360 usage events, and one explanation reads at most 359") });
});

it("reads the two windows alone, and not what lies between them", async () => {
  const { ledger, question } = await workload(() => [{}]);
  const read: (readonly [number, number])[] = [];
  const usagePages = (from: number, to: number) => {
    read.push([from, to]);
    return ledger.usagePages(from, to);
  };
  const minute = 60_000;
  const apart = {
    from: question.to - minute,
    to: question.to,
    baselineFrom: question.baselineFrom,
    baselineTo: question.baselineFrom + minute,
  };
  await explainCost({ ledger: { ...ledger, usagePages }, prices, changes }, apart);
  expect(read).toEqual([
    [apart.from, apart.to],
    [apart.baselineFrom, apart.baselineTo],
  ]);
});

it("names the prices of the usage with their days and sources, the one with the most cost first", async () => {
  const { ledger, question } = await workload((prompt) => [
    prompt === "plan" ? { model: "gpt-4o", provider: "openai", usage: { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 } } : {},
  ]);
  const found = await explainCost({ ledger, prices, changes }, question);
  expect(found).toMatchObject({
    prices: [
      {
        provider: "anthropic",
        from: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/u),
        source: expect.stringContaining("https://platform.claude.com"),
      },
      { provider: "openai", model: "gpt-4o", from: "2024-10-01", source: expect.stringContaining("https://platform.openai.com") },
    ],
  });
});
