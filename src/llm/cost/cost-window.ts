import { type CostDimension, costDimensions } from "../../../packages/sdk/src/wire/cost-dimension.ts";
import type { Segment } from "../../../packages/sdk/src/wire/costs.ts";
import type { Instant } from "../../core/clock.ts";

/** One model request, as far as its cost is concerned. Money in micro-USD; prices in micro-USD per million tokens. */
export interface CostEvent {
  readonly at: Instant;
  readonly dims: { readonly [Dimension in CostDimension]?: string };
  readonly ticketId: string;
  /** 1 for the first. */
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

/** The events of one window; a million of them are gone through a few times only, whatever is asked. */
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

const largest = Number.MAX_VALUE;

/** The events of a segment. */
interface Slice {
  readonly events: readonly CostEvent[];
  readonly costMicroUsd: number;
  /** By dimension and element; filled when first asked for. */
  costs?: ReadonlyMap<CostDimension, ReadonlyMap<string, number>>;
}

/** A window of these events; what is not counted (a negative or infinite number) is taken as 0, as one broken event must not spoil a window. */
export function createCostWindow(events: readonly CostEvent[]): CostWindow {
  let costMicroUsd = 0;
  let inputTokens = 0;
  let unpricedTokens = 0;
  let tokens = 0;
  for (const event of events) {
    costMicroUsd += counted(event.costMicroUsd);
    inputTokens += counted(event.inputTokens);
    unpricedTokens += counted(event.unpricedTokens);
    tokens += counted(event.inputTokens) + counted(event.outputTokens);
  }
  const whole: Slice = { events, costMicroUsd };
  // The same few segments are asked about again and again.
  const slices = new Map<string, Slice>();
  const sliceOf = (elements: readonly (readonly [CostDimension, string])[]): Slice => {
    const last = elements.at(-1);
    if (last === undefined) return whole;
    const key = JSON.stringify(elements);
    const cached = slices.get(key);
    if (cached !== undefined) return cached;
    const [dimension, element] = last;
    const part = sliceOf(elements.slice(0, -1)).events.filter((event) => elementOf(event, dimension) === element);
    const slice = { events: part, costMicroUsd: part.reduce((sum, event) => sum + counted(event.costMicroUsd), 0) };
    slices.set(key, slice);
    return slice;
  };
  const within = (segment: Segment): Slice => {
    // In the order in which it was narrowed, as the wider segments are known then.
    const order = Object.keys(segment);
    return sliceOf(
      costDimensions
        .toSorted((a, b) => order.indexOf(a) - order.indexOf(b))
        .flatMap((dimension) => {
          const element = segment[dimension];
          return element === undefined ? [] : [[dimension, element] as const];
        }),
    );
  };

  return {
    events: events.length,
    costMicroUsd,
    inputTokens,
    unpricedTokens,
    tokens,
    costBy(dimension, segment) {
      const slice = within(segment);
      slice.costs ??= costsByElement(slice.events);
      return slice.costs.get(dimension) ?? new Map();
    },
    total(segment) {
      const slice = within(segment);
      return { costMicroUsd: slice.costMicroUsd, events: slice.events.length };
    },
    factors: (segment) => sumsByModel(within(segment).events),
    series(from, everyMs, count) {
      const sums = Array.from({ length: count }, () => 0);
      for (const event of events) {
        const span = Math.floor((event.at - from) / everyMs);
        if (span >= 0 && span < count) sums[span] = (sums[span] ?? 0) + counted(event.costMicroUsd);
      }
      return sums;
    },
  };
}

/** All dimensions in one pass: what an event costs is to reach it, not to add it up. */
function costsByElement(events: readonly CostEvent[]): ReadonlyMap<CostDimension, ReadonlyMap<string, number>> {
  const costs = costDimensions.map((dimension) => ({ dimension, sums: new Map<string, { costMicroUsd: number }>() }));
  for (const event of events) {
    const costMicroUsd = counted(event.costMicroUsd);
    for (const { dimension, sums } of costs) {
      const element = elementOf(event, dimension);
      const sum = sums.get(element);
      if (sum === undefined) sums.set(element, { costMicroUsd });
      else sum.costMicroUsd += costMicroUsd;
    }
  }
  return new Map(
    costs.map(({ dimension, sums }) => [dimension, new Map([...sums].map(([element, { costMicroUsd }]) => [element, costMicroUsd]))]),
  );
}

function sumsByModel(events: readonly CostEvent[]): ReadonlyMap<string, FactorSums> {
  const models = new Map<string, ReturnType<typeof createModelSums>>();
  for (const event of events) {
    const model = elementOf(event, "model");
    let sums = models.get(model);
    if (sums === undefined) models.set(model, (sums = createModelSums()));
    sums.counts.add(event);
    sums.requests += 1;
    sums.inputTokens += counted(event.inputTokens);
    sums.inputCostMicroUsd += counted(event.inputCostMicroUsd);
    sums.listCostMicroUsd += (counted(event.inputTokens) * counted(event.inputPrice)) / 1_000_000;
    sums.costMicroUsd += counted(event.costMicroUsd);
  }
  return new Map([...models].map(([model, { counts, ...sums }]) => [model, { ...sums, ...counts.read() }]));
}

function createModelSums() {
  return { counts: createCounts(), requests: 0, inputTokens: 0, inputCostMicroUsd: 0, listCostMicroUsd: 0, costMicroUsd: 0 };
}

/** This many attempts fit into the bits of one number: a set for each ticket would take ten times the memory. */
const earlyAttempts = 31;

/** Counts different tickets and different attempts. */
function createCounts() {
  const early = new Map<string, number>();
  const late = new Set<string>();
  let attempts = 0;
  return {
    add({ ticketId, attempt }: CostEvent): void {
      const attemptBits = early.get(ticketId);
      const bit = attempt < earlyAttempts ? 1 << attempt : 0;
      if (bit === 0) late.add(`${attempt} ${ticketId}`);
      if (attemptBits !== undefined && (attemptBits | bit) === attemptBits) return;
      early.set(ticketId, (attemptBits ?? 0) | bit);
      if (bit !== 0) attempts += 1;
    },
    read: () => ({ tickets: early.size, attempts: attempts + late.size }),
  };
}

function elementOf({ dims }: CostEvent, dimension: CostDimension): string {
  return dims[dimension] ?? noElement;
}

function counted(value: number): number {
  return value > 0 && value <= largest ? value : 0;
}
