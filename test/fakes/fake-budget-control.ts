import { isDeepStrictEqual } from "node:util";
import type { BudgetControls, BudgetState, RunningTicket, SpendRow } from "../../packages/sdk/src/wire/budgets.ts";
import type { BudgetControl, ControlsChange } from "../../src/llm/budgets/budget.ts";
import { applyChange } from "../../src/llm/budgets/controls.ts";

/** A budget in memory, with levers for what the world does to it. */
export interface FakeBudget {
  state: BudgetState;
  tickets: RunningTicket[];
  spend: (SpendRow & { readonly at: number })[];
  /** Reads and writes that were asked for, in order. */
  readonly calls: string[];
}

/** Builds the state of a budget that nothing draws on: $100 in 30 days, open, without limits. */
export function aBudgetState(id: string, change: Partial<BudgetState> = {}): BudgetState {
  return {
    budget: { id, limitMicroUsd: 100_000_000, periodMs: 30 * 86_400_000, periodStartsAt: 0 },
    controls: {
      version: 1,
      gate: "open",
      reason: "",
      by: "",
      limits: { concurrency: null, ratePerMinute: null, perTicketCapMicroUsd: null, perMinuteCapMicroUsd: null, maxAttempts: null },
    },
    spentMicroUsd: 0,
    estimatedMicroUsd: 0,
    committedMicroUsd: 0,
    running: 0,
    queued: 0,
    allowanceMicroUsdPerSecond: 38,
    periodRemainingSeconds: 86_400,
    queues: ["tickets"],
    batches: ["batch-1"],
    ...change,
  };
}

/** Budgets in memory behind the port that actions use. */
export function createFakeBudgetControl(
  ...states: readonly BudgetState[]
): BudgetControl & { of(id: string): FakeBudget; set(id: string, change: ControlsChange): void } {
  const budgets = new Map(
    states.map((state) => [state.budget.id, { state, tickets: [], spend: [], calls: [] } satisfies FakeBudget as FakeBudget]),
  );

  function of(id: string): FakeBudget {
    const budget = budgets.get(id);
    if (budget === undefined) throw new Error(`There is no fake budget ${id}.`);
    return budget;
  }

  function set(id: string, change: ControlsChange): void {
    const budget = of(id);
    budget.state = { ...budget.state, controls: changed(budget.state.controls, change) };
  }

  return {
    of,
    set,
    async read(id) {
      budgets.get(id)?.calls.push("read");
      return budgets.get(id)?.state;
    },
    async list() {
      return [...budgets.keys()];
    },
    async compareAndSet(id, expectedVersion, change) {
      const budget = of(id);
      budget.calls.push("compareAndSet");
      const { controls } = budget.state;
      const wanted = changed(controls, change);
      const equal = isDeepStrictEqual({ ...wanted, version: 0 }, { ...controls, version: 0 });
      if (!equal && controls.version !== expectedVersion) return { set: false, controls };
      if (!equal) set(id, change);
      return { set: true, controls: budget.state.controls };
    },
    async running(id) {
      return of(id).tickets;
    },
    async spend(id, from, to) {
      return of(id)
        .spend.filter((row) => row.at >= from && row.at < to)
        .map(({ at: _at, ...row }) => row);
    },
  };
}

function changed({ version, ...current }: BudgetControls, change: ControlsChange): BudgetControls {
  return { ...applyChange(current, change), version: version + 1 };
}
