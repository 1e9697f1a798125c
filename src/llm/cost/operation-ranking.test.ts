import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { type OperationSpend, rankOperations } from "./operation-ranking.ts";

function aRow(change: Partial<OperationSpend> = {}): OperationSpend {
  return {
    prompt: "implement",
    operation: "plan",
    costMicroUsd: 1000,
    requests: 10,
    tickets: 10,
    attempts: 10,
    inputTokens: 900,
    outputTokens: 100,
    unpricedTokens: 0,
    ...change,
  };
}

const hour = 3_600_000;
const windowOf = (...rows: OperationSpend[]) => ({ rows, durationMs: hour });

describe("verdicts", () => {
  it("names the operation that explains the rise, and retries as its factor", () => {
    const ranking = rankOperations(
      windowOf(
        aRow({ costMicroUsd: 6000, requests: 60, attempts: 60, inputTokens: 5400, outputTokens: 600 }),
        aRow({ operation: "review", costMicroUsd: 1100 }),
      ),
      windowOf(aRow(), aRow({ operation: "review" })),
    );
    expect(ranking).toMatchObject({
      verdict: "spike",
      costMicroUsd: 7100,
      baselineMicroUsd: 2000,
      culprit: {
        prompt: "implement",
        operation: "plan",
        changeMicroUsd: 5000,
        attemptsPerTicket: 6,
        baselineAttemptsPerTicket: 1,
        factor: { name: "attempts_per_ticket", changeMicroUsd: 5000 },
      },
    });
    expect(ranking.culprit?.share).toBeCloseTo(6000 / 7100);
    expect(ranking.sentence).toBe("operation plan of prompt implement explains 98 % of the rise, mostly through attempts per ticket.");
  });

  it.each<[string, Partial<OperationSpend>, string]>([
    ["volume", { tickets: 40, attempts: 40, requests: 40, inputTokens: 3600, outputTokens: 400, costMicroUsd: 4000 }, "tickets"],
    ["more turns", { requests: 40, inputTokens: 3600, outputTokens: 400, costMicroUsd: 4000 }, "turns_per_attempt"],
    ["longer prompts", { inputTokens: 3900, costMicroUsd: 4000 }, "tokens_per_turn"],
    ["a dearer mix", { costMicroUsd: 4000 }, "price"],
  ])("names the factor of %s", (_name, change, factor) => {
    expect(rankOperations(windowOf(aRow(change)), windowOf(aRow())).culprit?.factor?.name).toBe(factor);
  });

  it("calls a rise of less than 10 % no spike", () => {
    const ranking = rankOperations(windowOf(aRow({ costMicroUsd: 1099 })), windowOf(aRow()));
    expect(ranking).toMatchObject({ verdict: "no_spike", sentence: "No attributable spike: spend rose by less than 10 %." });
    expect(ranking).not.toHaveProperty("culprit");
  });

  it("calls a rise everywhere diffuse and accuses nobody", () => {
    const names = ["a", "b", "c"];
    const ranking = rankOperations(
      windowOf(...names.map((operation) => aRow({ operation, costMicroUsd: 3000 }))),
      windowOf(...names.map((operation) => aRow({ operation }))),
    );
    expect(ranking.verdict).toBe("diffuse");
    expect(ranking).not.toHaveProperty("culprit");
  });

  it("takes a new operation as the culprit, without a factor", () => {
    const ranking = rankOperations(windowOf(aRow(), aRow({ operation: "new", costMicroUsd: 5000 })), windowOf(aRow()));
    expect(ranking.culprit).toMatchObject({ operation: "new", baselineMicroUsd: 0 });
    expect(ranking.culprit).not.toHaveProperty("factor");
  });

  it("says first that tokens have no price", () => {
    const ranking = rankOperations(windowOf(aRow({ costMicroUsd: 5000, unpricedTokens: 50 })), windowOf(aRow()));
    expect(ranking.sentence).toMatch(/^5 % of the tokens have no price, so this ranking may be wrong\. operation plan/);
    expect(rankOperations(windowOf(aRow({ costMicroUsd: 0, unpricedTokens: 1000 })), windowOf()).sentence).toMatch(
      /^100 % .* Nothing was spent/,
    );
  });

  it("says so when nothing was spent", () => {
    expect(rankOperations(windowOf(), windowOf())).toMatchObject({ verdict: "no_spend", rows: [] });
    expect(rankOperations(windowOf(), windowOf(aRow())).verdict).toBe("no_spend");
  });
});

describe("arithmetic", () => {
  it("scales a baseline of another length", () => {
    expect(
      rankOperations(windowOf(aRow({ costMicroUsd: 2000 })), { rows: [aRow({ costMicroUsd: 4000 })], durationMs: 2 * hour }),
    ).toMatchObject({
      verdict: "no_spike",
      baselineMicroUsd: 2000,
    });
  });

  it("adds the models of one operation", () => {
    expect(rankOperations(windowOf(aRow({ costMicroUsd: 10 }), aRow({ costMicroUsd: 15 })), windowOf()).rows).toHaveLength(1);
  });

  const rows = fc.array(
    fc
      .record({
        operation: fc.constantFrom("a", "b", "c", "d"),
        costMicroUsd: fc.nat(10_000),
        tickets: fc.nat(20),
        attempts: fc.nat(60),
        requests: fc.nat(100),
      })
      .map(aRow),
    { maxLength: 12 },
  );

  it("gives shares that sum to one and changes that sum to the rise", () => {
    fc.assert(
      fc.property(rows, rows, (now, then) => {
        const ranking = rankOperations(windowOf(...now), windowOf(...then));
        const total = (pick: (row: (typeof ranking.rows)[number]) => number) => ranking.rows.reduce((sum, row) => sum + pick(row), 0);
        expect(total((row) => row.changeMicroUsd)).toBe(ranking.costMicroUsd - ranking.baselineMicroUsd);
        expect(total((row) => row.share)).toBeCloseTo(ranking.costMicroUsd > 0 ? 1 : 0);
        expect(ranking.rows.every((row) => row.factor === undefined || Number.isFinite(row.factor.changeMicroUsd))).toBe(true);
      }),
    );
  });
});
