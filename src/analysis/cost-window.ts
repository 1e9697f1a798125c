import type { Instant } from "../core/clock.ts";

/** What cost is broken down by. */
export const costDimensions = ["model", "prompt", "operation", "budget", "queue", "batch", "promptVersion", "variant"] as const;

/** See {@link costDimensions}. */
export type CostDimension = (typeof costDimensions)[number];

/** One model request, as far as its cost is concerned. Money in micro-USD; prices in micro-USD per million tokens. */
export interface CostEvent {
  readonly at: Instant;
  readonly dims: { readonly [Dimension in CostDimension]?: string };
  readonly ticketId: string;
  readonly attempt: number;
  readonly costMicroUsd: number;
  /** The part of the cost that the prompt caused, with what its cache saved or cost. */
  readonly inputCostMicroUsd: number;
  /** Price of an uncached token. */
  readonly inputPrice: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Tokens without a price; their cost is unknown, not zero. */
  readonly unpricedTokens: number;
}

/** Elements of dimensions that must all hold; an empty one is everything. */
export type Segment = { readonly [Dimension in CostDimension]?: string };

/** The sums that the factors of cost are made of; of one model. */
export interface FactorSums {
  readonly tickets: number;
  readonly attempts: number;
  readonly requests: number;
  readonly inputTokens: number;
  readonly inputCostMicroUsd: number;
  /** Input cost if no token had been cached. */
  readonly listCostMicroUsd: number;
  readonly costMicroUsd: number;
}

/** The events of one window, by column, so that a million of them can be grouped again and again. */
export interface CostWindow {
  readonly events: number;
  readonly costMicroUsd: number;
  readonly inputTokens: number;
  readonly unpricedTokens: number;
  readonly tokens: number;
  /** Cost by element of one dimension, within a segment. */
  costBy(dimension: CostDimension, within: Segment): ReadonlyMap<string, number>;
  /** Cost and number of events of a segment. */
  total(within: Segment): { readonly costMicroUsd: number; readonly events: number };
  /** Sums by model, within a segment. */
  factors(within: Segment): ReadonlyMap<string, FactorSums>;
  /** Cost of each span of `everyMs` from `from` on, `count` of them. */
  series(from: Instant, everyMs: number, count: number): readonly number[];
}

/** What an event has no value of. */
export const noElement = "none";

/** A column of names, each stored once. */
interface Column {
  readonly names: readonly string[];
  /** Index into `names`, by row. */
  readonly values: Int32Array;
  put(row: number, name: string): void;
  /** Undefined: no row has this name. */
  indexOf(name: string): number | undefined;
}

function createColumn(size: number): Column {
  const names: string[] = [];
  const known = new Map<string, number>();
  const values = new Int32Array(size);
  return {
    names,
    values,
    put(row, name) {
      let index = known.get(name);
      if (index === undefined) {
        index = names.push(name) - 1;
        known.set(name, index);
      }
      values[row] = index;
    },
    indexOf: (name) => known.get(name),
  };
}

const largest = Number.MAX_VALUE;
/** More than any report may name. */
const attemptsPerTicket = 100_000;

/** Columns of these events; what is not counted (a negative or infinite number) is taken as 0, as one broken event must not spoil a window. */
export function createCostWindow(events: readonly CostEvent[]): CostWindow {
  const size = events.length;
  const columns = new Map(costDimensions.map((dimension) => [dimension, createColumn(size)]));
  const tickets = createColumn(size);
  const attempts = new Int32Array(size);
  const attemptIndexes = new Map<number, number>();
  const at = new Float64Array(size);
  const cost = new Float64Array(size);
  const inputCost = new Float64Array(size);
  const listCost = new Float64Array(size);
  const input = new Float64Array(size);
  let total = 0;
  let inputTotal = 0;
  let unpriced = 0;
  let tokens = 0;
  for (const [row, event] of events.entries()) {
    for (const [dimension, column] of columns) column.put(row, event.dims[dimension] ?? noElement);
    tickets.put(row, event.ticketId);
    const attemptKey = (tickets.values[row] ?? 0) * attemptsPerTicket + event.attempt;
    const known = attemptIndexes.get(attemptKey);
    attempts[row] = known ?? attemptIndexes.size;
    if (known === undefined) attemptIndexes.set(attemptKey, attemptIndexes.size);
    at[row] = event.at;
    const amount = counted(event.costMicroUsd);
    cost[row] = amount;
    inputCost[row] = counted(event.inputCostMicroUsd);
    input[row] = counted(event.inputTokens);
    listCost[row] = (counted(event.inputTokens) * counted(event.inputPrice)) / 1_000_000;
    total += amount;
    inputTotal += counted(event.inputTokens);
    unpriced += counted(event.unpricedTokens);
    tokens += counted(event.inputTokens) + counted(event.outputTokens);
  }

  const columnOf = (dimension: CostDimension): Column => columns.get(dimension) ?? createColumn(0);
  /** Rows of the segment; undefined: all. */
  const rowsOf = (within: Segment): readonly (readonly [Int32Array, number])[] | undefined => {
    const tests: [Int32Array, number][] = [];
    for (const dimension of costDimensions) {
      const element = within[dimension];
      if (element === undefined) continue;
      const column = columnOf(dimension);
      const index = column.indexOf(element);
      if (index === undefined) return undefined;
      tests.push([column.values, index]);
    }
    return tests;
  };
  const each = (within: Segment, visit: (row: number) => void): void => {
    const tests = rowsOf(within);
    if (tests === undefined) return;
    rows: for (let row = 0; row < size; row += 1) {
      for (const [values, index] of tests) if (values[row] !== index) continue rows;
      visit(row);
    }
  };

  return {
    events: size,
    costMicroUsd: total,
    inputTokens: inputTotal,
    unpricedTokens: unpriced,
    tokens,
    costBy(dimension, within) {
      const column = columnOf(dimension);
      const sums = new Float64Array(column.names.length);
      each(within, (row) => {
        const index = column.values[row] ?? 0;
        sums[index] = (sums[index] ?? 0) + (cost[row] ?? 0);
      });
      return new Map(column.names.map((name, index) => [name, sums[index] ?? 0]));
    },
    total(within) {
      let costMicroUsd = 0;
      let count = 0;
      each(within, (row) => {
        costMicroUsd += cost[row] ?? 0;
        count += 1;
      });
      return { costMicroUsd, events: count };
    },
    factors(within) {
      const models = columnOf("model");
      const sums = models.names.map(() => ({
        tickets: new Set<number>(),
        attempts: new Set<number>(),
        requests: 0,
        inputTokens: 0,
        inputCostMicroUsd: 0,
        listCostMicroUsd: 0,
        costMicroUsd: 0,
      }));
      each(within, (row) => {
        const sum = sums[models.values[row] ?? 0];
        if (sum === undefined) return;
        sum.tickets.add(tickets.values[row] ?? 0);
        sum.attempts.add(attempts[row] ?? 0);
        sum.requests += 1;
        sum.inputTokens += input[row] ?? 0;
        sum.inputCostMicroUsd += inputCost[row] ?? 0;
        sum.listCostMicroUsd += listCost[row] ?? 0;
        sum.costMicroUsd += cost[row] ?? 0;
      });
      return new Map(
        models.names.flatMap((name, index) => {
          const sum = sums[index];
          return sum === undefined || sum.requests === 0
            ? []
            : [[name, { ...sum, tickets: sum.tickets.size, attempts: sum.attempts.size }]];
        }),
      );
    },
    series(from, everyMs, count) {
      const sums = Array.from({ length: count }, () => 0);
      for (let row = 0; row < size; row += 1) {
        const span = Math.floor(((at[row] ?? 0) - from) / everyMs);
        if (span >= 0 && span < count) sums[span] = (sums[span] ?? 0) + (cost[row] ?? 0);
      }
      return sums;
    },
  };
}

function counted(value: number): number {
  return value > 0 && value <= largest ? value : 0;
}
