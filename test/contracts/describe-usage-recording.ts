import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { UsageEvent, UsageReport } from "../../packages/sdk/src/wire/usage.ts";
import type { BudgetLedger } from "../../src/llm/budgets/budget-ledger.ts";
import { aUsageEvent } from "../builders/a-usage-report.ts";
import type { LedgerFixture } from "./describe-budget-ledger.ts";
import { usageOf } from "./usage-of.ts";

type Change = Partial<UsageReport> & { readonly id: string };

/** Usage of this much input and output; at $3 and $15 per million tokens one token costs 3 and 15 micro-USD. */
const tokens = (uncached: number, output: number) => ({ uncached, output });
const unreadable = { input_tokens: -1, output_tokens: 1 };

/** The specification of counting, for every ledger. `open` makes a fresh one. */
export function describeUsageRecording(name: string, open: () => Promise<LedgerFixture>): void {
  const opened = async (limitMicroUsd = 1_000_000_000) => {
    const { ledger, clock } = await open();
    for (const id of ["checkout", "search"]) await ledger.define({ id, limitMicroUsd, periodMs: 3_600_000, periodStartsAt: clock.now() });
    const report = async (...changes: readonly Change[]) => ledger.record(changes.map((change) => aUsageEvent(change, clock.now())));
    const kinds = async (...changes: readonly Change[]) => (await report(...changes)).map(({ kind }) => kind);
    return { ledger, clock, report, kinds, money: () => moneyOf(ledger), start: clock.now() };
  };
  const moneyOf = async (ledger: BudgetLedger, budget = "checkout") => {
    const state = await ledger.read(budget);
    return { spent: state?.spentMicroUsd, estimated: state?.estimatedMicroUsd, committed: state?.committedMicroUsd };
  };
  const spendOf = async (ledger: BudgetLedger, from: number) => {
    const rows = await ledger.spend("checkout", from - 60_000, from + 3_600_000);
    const sum = (field: "costMicroUsd" | "estimatedMicroUsd" | "requests") => rows.reduce((total, row) => total + row[field], 0);
    return { cost: sum("costMicroUsd"), estimated: sum("estimatedMicroUsd"), requests: sum("requests") };
  };
  const eventsOf = async (ledger: BudgetLedger, from: number): Promise<readonly UsageEvent[]> =>
    usageOf(ledger, from - 60_000, from + 3_600_000);

  describe(`${name} as a recorder of usage`, () => {
    it("identifies a report by its provider, budget and id", async () => {
      const { kinds, ledger, money } = await opened();
      const same = { id: "chatcmpl-1", usage: tokens(1000, 0) };
      expect(await kinds(same, { ...same, budget: "search" }, { ...same, provider: "openai", model: "gpt-5" })).toEqual([
        "accepted",
        "accepted",
        "accepted",
      ]);
      expect(await moneyOf(ledger, "search")).toMatchObject({ spent: 3000 });
      expect(await kinds(same, { ...same, budget: "search" })).toEqual(["duplicate", "duplicate"]);
      expect(await money()).toMatchObject({ spent: 4250 });
    });

    it("charges the difference when a report completes an earlier one, and keeps one event", async () => {
      const { report, ledger, money, start } = await opened();
      await report({ id: "m", usage: tokens(2000, 1) });
      expect(await report({ id: "m", usage: tokens(2000, 4000) })).toMatchObject([
        { kind: "completed", changeMicroUsd: 59_985, added: { uncached: 0, output: 3999 }, event: { costMicroUsd: 66_000 } },
      ]);
      expect(await money()).toMatchObject({ spent: 66_000, estimated: 0 });
      expect(await spendOf(ledger, start)).toEqual({ cost: 66_000, estimated: 0, requests: 1 });
      expect(await eventsOf(ledger, start)).toMatchObject([{ id: "m", costMicroUsd: 66_000, tokens: { output: 4000 } }]);
    });

    it("keeps what completes a report at the time of the first one, and reads one event of each id", async () => {
      const { report, ledger, start } = await opened();
      await report({ id: "a", at: start - 2000 }, { id: "b", at: start - 1000 });
      await report({ id: "a", at: start - 500, usage: tokens(2000, 1) });
      expect(await ledger.usageKept(start - 2000, start - 1000)).toEqual({ count: 2, complete: true });
      expect(await ledger.usageKept(start - 1000, start)).toEqual({ count: 1, complete: true });
      const read: (readonly [string, number])[] = [];
      for await (const page of ledger.usagePages(start - 2000, start))
        read.push(...page.map(({ id, costMicroUsd }) => [id, costMicroUsd] as const));
      expect(read).toEqual([
        ["a", 6015],
        ["b", 3000],
      ]);
      expect((await ledger.recentUsage(10)).map(({ id }) => id)).toEqual(["b", "a"]);
    });

    it.each<[string, Change, string]>([
      ["another model", { id: "m", model: "claude-haiku-4-5", usage: tokens(1000, 0) }, "another_model"],
      ["another ticket", { id: "m", ticketId: "T-2", usage: tokens(1000, 0) }, "another_ticket"],
      ["a lower count", { id: "m", usage: tokens(999, 10) }, "lower_count"],
      ["no readable usage", { id: "m", usage: unreadable }, "unreadable"],
    ])("calls a report of the same id with %s a conflict, and lets the higher cost stand", async (_name, second, conflict) => {
      const { report, money } = await opened();
      const first = { id: "m", usage: tokens(1000, 0) };
      await report(first);
      const [outcome] = await report(second);
      expect(outcome).toMatchObject({ kind: "conflict", conflict, detail: expect.stringContaining("earlier report of this id") });
      const higher = conflict === "lower_count" ? 3147 : 3000;
      expect(await money()).toMatchObject({ spent: higher, estimated: 0 });
    });

    it("takes a report that can be read in place of one that could not", async () => {
      const { report, ledger, money, start } = await opened();
      expect(await report({ id: "m", usage: unreadable })).toMatchObject([
        { kind: "accepted", event: { anomaly: "not_a_count", estimated: "setting", costMicroUsd: 50_000 } },
      ]);
      expect(await money()).toEqual({ spent: 50_000, estimated: 50_000, committed: 0 });
      expect(await spendOf(ledger, start)).toEqual({ cost: 50_000, estimated: 50_000, requests: 1 });
      expect(await report({ id: "m", usage: tokens(1000, 0) })).toMatchObject([{ kind: "completed", changeMicroUsd: -47_000 }]);
      expect(await money()).toEqual({ spent: 3000, estimated: 0, committed: 0 });
      expect(await spendOf(ledger, start)).toEqual({ cost: 3000, estimated: 0, requests: 1 });
      expect(await eventsOf(ledger, start)).toMatchObject([{ id: "m", costMicroUsd: 3000 }]);
    });

    it("charges usage that cannot be read or priced with the reservation of its turn", async () => {
      const { report, ledger, money } = await opened();
      await ledger.admit({ ticketId: "T-1", budget: "checkout", estimateMicroUsd: 20_000 });
      await report({ id: "a", usage: unreadable });
      expect(await money()).toEqual({ spent: 20_000, estimated: 20_000, committed: 0 });
      await ledger.admit({ ticketId: "T-1", budget: "checkout", turn: 1, estimateMicroUsd: 30_000 });
      expect(await report({ id: "b", turn: 1, model: "no-such-model" })).toMatchObject([
        { event: { unpriced: "unknown_model", estimated: "reservation", costMicroUsd: 30_000 } },
      ]);
      expect(await money()).toEqual({ spent: 50_000, estimated: 50_000, committed: 0 });
    });

    it("charges it with the 90th percentile of the operation without a reservation", async () => {
      const { report, money } = await opened();
      await report(...Array.from({ length: 20 }, (_, index) => ({ id: `r${index}`, usage: tokens(1000 * (index + 1), 0) })));
      const { spent = 0 } = await money();
      expect(await report({ id: "u", usage: unreadable })).toMatchObject([{ event: { estimated: "operation_p90", costMicroUsd: 54_000 } }]);
      expect(await report({ id: "v", operation: "other", usage: unreadable })).toMatchObject([{ event: { estimated: "setting" } }]);
      expect(await money()).toMatchObject({ spent: spent + 104_000, estimated: 104_000 });
    });

    it("charges a turn that ends without a report, and takes a late report in its place", async () => {
      const { report, ledger, clock, money, start } = await opened();
      await ledger.admit({ ticketId: "T-1", budget: "checkout", turn: 3, estimateMicroUsd: 20_000 });
      await clock.advance(60_001);
      expect(await money()).toEqual({ spent: 20_000, estimated: 20_000, committed: 0 });
      expect(await ledger.recordUnreported()).toMatchObject([
        { kind: "accepted", changeMicroUsd: 20_000, event: { anomaly: "no_report", estimated: "reservation", ticketId: "T-1", turn: 3 } },
      ]);
      expect(await ledger.recordUnreported()).toEqual([]);
      expect(await spendOf(ledger, start)).toEqual({ cost: 20_000, estimated: 20_000, requests: 1 });
      await report({ id: "late", turn: 3, usage: tokens(1000, 0) });
      expect(await money()).toEqual({ spent: 3000, estimated: 0, committed: 0 });
      await ledger.recordUnreported();
      expect(await spendOf(ledger, start)).toEqual({ cost: 3000, estimated: 0, requests: 1 });
      expect(await eventsOf(ledger, start)).toMatchObject([{ id: "late", costMicroUsd: 3000 }]);
    });

    it("charges a turn that is left for the next one or released without a report, and not one that is unused", async () => {
      const { ledger, money } = await opened();
      const ask = (turn: number) => ledger.admit({ ticketId: "T-1", budget: "checkout", turn, estimateMicroUsd: 20_000 });
      await ask(0);
      await ask(1);
      expect(await money()).toEqual({ spent: 20_000, estimated: 20_000, committed: 20_000 });
      await ledger.release({ ticketId: "T-1", budget: "checkout" });
      expect(await money()).toEqual({ spent: 40_000, estimated: 40_000, committed: 0 });
      await ask(2);
      await ledger.finish({ ticketId: "T-1", budget: "checkout", outcome: "cancelled", unused: true });
      expect(await money()).toEqual({ spent: 40_000, estimated: 40_000, committed: 0 });
    });

    it("takes a person's word for the cost of a report, and keeps it whatever is reported then", async () => {
      const { report, ledger, money, start } = await opened();
      await report({ id: "m", usage: unreadable });
      const correction = { budget: "checkout", provider: "anthropic", usageId: "m", costMicroUsd: 700, by: "ann", reason: "the invoice" };
      expect(await ledger.correct(correction)).toMatchObject({ kind: "corrected", usage: { changeMicroUsd: -49_300 } });
      expect(await money()).toEqual({ spent: 700, estimated: 0, committed: 0 });
      expect(await spendOf(ledger, start)).toEqual({ cost: 700, estimated: 0, requests: 1 });
      expect(await eventsOf(ledger, start)).toMatchObject([
        { id: "m", costMicroUsd: 700, correction: { by: "ann", reason: "the invoice" } },
      ]);
      expect(await report({ id: "m", usage: tokens(1000, 0) })).toMatchObject([{ kind: "conflict", conflict: "corrected" }]);
      expect(await money()).toMatchObject({ spent: 700 });
      expect(await ledger.correct({ ...correction, usageId: "nothing" })).toEqual({ kind: "unknown_id" });
      expect(await ledger.correct({ ...correction, budget: "nobodys" })).toEqual({ kind: "unknown_budget" });
    });

    it("takes a person's word for a turn that ended without a report", async () => {
      const { ledger, money, start } = await opened();
      await ledger.admit({ ticketId: "T-1", budget: "checkout", estimateMicroUsd: 20_000 });
      await ledger.release({ ticketId: "T-1", budget: "checkout" });
      const [turn] = await ledger.recordUnreported();
      const usageId = turn?.event.id ?? "";
      const correction = { budget: "checkout", provider: "unreported", usageId, by: "ann", reason: "the invoice" };
      expect(await ledger.correct({ ...correction, costMicroUsd: 900 })).toMatchObject({ kind: "corrected" });
      await ledger.recordUnreported();
      expect(await money()).toEqual({ spent: 900, estimated: 0, committed: 0 });
      expect(await spendOf(ledger, start)).toMatchObject({ cost: 900, estimated: 0 });
      expect(await ledger.correct({ ...correction, costMicroUsd: 800 })).toMatchObject({ kind: "corrected" });
      expect(await money()).toMatchObject({ spent: 800 });
    });

    it("settles a conflict by a person's word", async () => {
      const { report, ledger, money } = await opened();
      await report({ id: "m", usage: tokens(1000, 0) }, { id: "m", ticketId: "T-2", usage: tokens(2000, 0) });
      expect(await money()).toMatchObject({ spent: 6000 });
      await ledger.correct({
        budget: "checkout",
        provider: "anthropic",
        usageId: "m",
        costMicroUsd: 9000,
        by: "ann",
        reason: "two requests",
      });
      expect(await money()).toMatchObject({ spent: 9000 });
    });

    it("gives nothing back in a period in which it was not charged", async () => {
      const { report, clock, money } = await opened();
      await report({ id: "m", usage: unreadable });
      await clock.advance(3_600_000);
      await report({ id: "n", usage: tokens(10_000, 0) });
      await report({ id: "m", usage: tokens(1000, 0) });
      expect(await money()).toMatchObject({ spent: 30_000, estimated: 0 });
    });

    it("closes a budget of $0.10 although nothing that is reported can be read", async () => {
      const { report, ledger } = await opened(100_000);
      const reasons = [];
      for (let turn = 0; turn < 12; turn += 1) {
        const answer = await ledger.admit({ ticketId: "T-1", budget: "checkout", turn, estimateMicroUsd: 10_000 });
        reasons.push(answer.kind === "admitted" ? answer.kind : answer.reason);
        if (answer.kind === "admitted") await report({ id: `r${turn}`, turn, usage: unreadable });
      }
      expect(reasons).toEqual([...Array.from({ length: 10 }, () => "admitted"), "budget_exhausted", "budget_exhausted"]);
    });

    it("charges the same in the end in whatever order and however often the same reports come", async () => {
      const one = fc.record({
        id: fc.constantFrom("a", "b"),
        ticketId: fc.constantFrom("T-1", "T-2"),
        model: fc.constantFrom("claude-sonnet-4-5", "claude-haiku-4-5", "no-such-model"),
        usage: fc.oneof(
          fc.record({ uncached: fc.integer({ min: 0, max: 3000 }), output: fc.integer({ min: 0, max: 500 }) }),
          fc.constant(unreadable),
        ),
      });
      const plan = fc.array(one, { minLength: 1, maxLength: 7 }).chain((reports) =>
        fc.record({
          reports: fc.constant(reports),
          again: fc.shuffledSubarray([...reports, ...reports], { minLength: 0 }),
          order: fc.shuffledSubarray(reports, { minLength: reports.length }),
        }),
      );
      await fc.assert(
        fc.asyncProperty(plan, async ({ reports, again, order }) => {
          const spent = [];
          for (const sequence of [reports, [...order, ...again]]) {
            const { ledger, report, money } = await opened();
            for (const ticketId of ["T-1", "T-2"])
              await ledger.admit({ ticketId, budget: "checkout", estimateMicroUsd: ticketId === "T-1" ? 4000 : 7000 });
            await report(...sequence);
            const { spent: total, estimated } = await money();
            spent.push([total, estimated]);
          }
          expect(spent[1]).toEqual(spent[0]);
        }),
        { numRuns: 60, seed: 16 },
      );
    });
  });
}
