import { describe, expect, it } from "@jest/globals";
import { array, assert, boolean, constant, constantFrom, double, infiniteStream, oneof, property, tuple } from "fast-check";
import { createPriceTable } from "../../usage/price-table.ts";
import { shippedPrices } from "../../usage/prices.ts";
import { noTokens } from "../../usage/token-partition.ts";
import { customIdOf, customIdSchema, type ItemOutcome, itemErrorClasses, type ProviderResult } from "./provider-batch.ts";
import { compareCosts, maxResubmissions, reconcileResults, type SubmittedItem } from "./reconcile-results.ts";

const prices = createPriceTable(shippedPrices);
const endedAt = Date.parse("2026-09-01T00:00:00Z");

function item(name: string, resubmissions = 0): SubmittedItem {
  return { customId: `c-${name}`, ticketId: name, resubmissions };
}

function answered(answerId: string, isRefusal = false): ItemOutcome & { readonly kind: "succeeded" } {
  return {
    kind: "succeeded",
    model: "claude-sonnet-4-5",
    usage: { kind: "tokens", tokens: { ...noTokens, uncached: 1000, output: 100 }, terms: { serviceTier: "standard" } },
    isRefusal,
    answerId,
    answer: { id: answerId },
  };
}

const line = (name: string, outcome: ItemOutcome): ProviderResult => ({ kind: "item", customId: `c-${name}`, outcome });
const errored = (errorClass: (typeof itemErrorClasses)[number]): ItemOutcome => ({ kind: "errored", errorClass, message: "no" });
const reconcile = (results: readonly ProviderResult[], items: readonly SubmittedItem[], isOverdue = false) =>
  reconcileResults(results, { provider: "anthropic", items, prices, endedAt, isOverdue });
const verdictOf = (outcome: ItemOutcome, resubmissions = 0) =>
  reconcile([line("a", outcome)], [item("a", resubmissions)]).verdicts[0]?.verdict;

describe("reconciling results by custom id", () => {
  it("prices an answer as one of a batch, whatever tier its usage names", () => {
    // 1000 × $3 + 100 × $15 per million, half of it.
    expect(verdictOf(answered("m1"))).toMatchObject({ kind: "succeeded", cost: { kind: "priced", costMicroUsd: 2250 } });
  });

  it.each([
    ["expired", { kind: "expired" } as const, "resubmit", "dead"],
    ["a rate limit", errored("provider_rate_limit"), "resubmit", "dead"],
    ["an overload", errored("provider_overload"), "resubmit", "dead"],
    ["an error of the provider", errored("provider_error"), "resubmit", "dead"],
    ["a spend limit", errored("provider_spend_limit"), "pause", "pause"],
    ["an invalid request", errored("invalid_request"), "dead", "dead"],
    ["too much context", errored("context_overflow"), "dead", "dead"],
    ["an error that nobody knows", errored("unknown"), "dead", "dead"],
    ["cancelled", { kind: "canceled" } as const, "canceled", "canceled"],
    ["refused by the model", answered("m", true), "person", "person"],
  ])("%s: the first time, and once all resubmissions are used", (_name, outcome, first, last) => {
    expect([verdictOf(outcome)?.kind, verdictOf(outcome, maxResubmissions)?.kind]).toEqual([first, last]);
  });

  it("bills a refusal, and hands it to a person", () => {
    const { counts, costMicroUsd } = reconcile([line("a", answered("m", true))], [item("a")]);
    expect(counts.person).toBe(1);
    expect(costMicroUsd).toBe(2250);
  });

  it("waits for a missing result, and asks a person once it is overdue", () => {
    expect(reconcile([], [item("a")]).verdicts[0]?.verdict).toEqual({ kind: "wait" });
    expect(reconcile([], [item("a")], true).verdicts[0]?.verdict).toEqual({ kind: "person", reason: "no_result" });
  });

  it("reports ids of others, doubles, contradictions and unreadable lines, and counts nothing twice", () => {
    const { counts, costMicroUsd, ...rest } = reconcile(
      [
        line("a", { kind: "expired" }),
        line("a", answered("m1")),
        line("b", answered("m2")),
        line("b", answered("m2")),
        line("z", answered("m3")),
        { kind: "unreadable", line: 5, detail: "no JSON" },
      ],
      [item("a"), item("b"), item("c")],
    );
    expect(counts).toMatchObject({ succeeded: 2, wait: 1 });
    expect(costMicroUsd).toBe(4500);
    expect(rest).toMatchObject({ unknownIds: ["c-z"], doubleIds: ["c-a", "c-b"], conflictingIds: ["c-a"], unreadableLines: 1 });
  });

  it("counts an answer without a readable usage or price apart", () => {
    const unread: ItemOutcome = { ...answered("m"), usage: { kind: "anomaly", reason: "missing_usage", detail: "" } };
    const unpriced: ItemOutcome = { ...answered("n"), model: "claude-next" };
    const { unpriced: count, costMicroUsd } = reconcile([line("a", unread), line("b", unpriced)], [item("a"), item("b")]);
    expect([count, costMicroUsd]).toEqual([2, 0]);
  });

  const outcome = oneof(
    constantFrom("m1", "m2").map((id) => answered(id)),
    constantFrom(...itemErrorClasses).map((errorClass) => errored(errorClass)),
    constant<ItemOutcome>({ kind: "expired" }),
    constant<ItemOutcome>({ kind: "canceled" }),
  );
  const lines = array(
    tuple(constantFrom("a", "b", "c", "d", "x"), outcome).map(([name, value]) => line(name, value)),
    { maxLength: 12 },
  );
  const items = ["a", "b", "c", "d"].map((name, index) => item(name, index % 3));

  it("gives each item exactly one verdict, in whatever order and however often results come", () => {
    assert(
      property(lines, boolean(), infiniteStream(double({ min: 0, max: 1, noNaN: true })), (results, isOverdue, keys) => {
        const told = reconcile(results, items, isOverdue);
        expect(told.verdicts.map((entry) => entry.item)).toEqual(items);
        expect(Object.values(told.counts).reduce((sum, count) => sum + count, 0)).toBe(items.length);
        const shuffled = results
          .map((result) => [keys.next().value ?? 0, result] as const)
          .sort(([a], [b]) => a - b)
          .map(([, result]) => result);
        expect(reconcile(shuffled, items, isOverdue)).toEqual(told);
        const twice = reconcile([...results, ...results], items, isOverdue);
        expect({ ...twice, doubleIds: told.doubleIds }).toEqual(told);
      }),
    );
  });

  it("submits again only what expired or may succeed, and that at most twice", () => {
    assert(
      property(lines, (results) => {
        for (const { item: one, verdict } of reconcile(results, items).verdicts) {
          if (verdict.kind !== "resubmit") continue;
          expect(one.resubmissions).toBeLessThan(maxResubmissions);
          expect(["expired", "provider_rate_limit", "provider_overload", "provider_error"]).toContain(verdict.reason);
        }
      }),
    );
  });
});

describe("comparing costs", () => {
  it.each([
    [1020, 1000, 0.02, true],
    [1021, 1000, 0.021, false],
    [979, 1000, -0.021, false],
    [0, 0, 0, true],
    [5, 0, undefined, false],
  ])("ours %d, the provider's %d", (ours, provider, deltaRatio, isWithin) => {
    expect(compareCosts(ours, provider)).toEqual({ oursMicroUsd: ours, providerMicroUsd: provider, deltaRatio, isWithin });
  });
});

describe("a custom id", () => {
  it("is accepted by every provider, and differs between submissions of one ticket", () => {
    const first = customIdOf("batch/1", "owner/repo#7");
    expect(customIdSchema.safeParse(first).success).toBe(true);
    expect(customIdOf("batch/2", "owner/repo#7")).not.toBe(first);
    expect(customIdOf("batch/1", "owner/repo#7")).toBe(first);
  });
});
