import { type CostDimension, costDimensions } from "../packages/sdk/src/wire/cost-dimension.ts";
import type { Segment } from "../packages/sdk/src/wire/costs.ts";
import type { CostEvent } from "../src/llm/cost/cost-window.ts";
import type { AttributionWorkload } from "./attribution-workload.ts";

/** The segment that was found, and the part of each factor in its change, micro-USD. */
export interface AttributionRow {
  readonly segment: Segment;
  readonly factors: Readonly<Record<string, number>>;
}

interface Windows {
  readonly then: readonly CostEvent[];
  readonly now: readonly CostEvent[];
}

/**
 * The attribution as one would first write it down: events are filtered and grouped by maps, dimensions ranked by surprise (Adtributor, Bhagwan et al.,
 * NSDI 2014), the element whose rest stayed calmest drilled into, and the change of what is left split into factors (LMDI-I, Ang, Energy Policy 33, 2005).
 */
export function attributeByReference({ then, now }: AttributionWorkload): AttributionRow {
  let segment: Segment = {};
  let left: Windows = { then, now };
  for (let depth = 0; depth < 3; depth += 1) {
    let calmest = 0;
    let narrower: { readonly segment: Segment; readonly left: Windows } | undefined;
    for (const dimension of costDimensions.filter((one) => segment[one] === undefined)) {
      const element = elementToBlame(dimension, left);
      if (element === undefined) continue;
      const isPart = (event: CostEvent) => elementOf(event, dimension) === element;
      const part = { then: left.then.filter(isPart), now: left.now.filter(isPart) };
      const calm = calmOfRest(left, part);
      if (calm <= calmest) continue;
      calmest = calm;
      narrower = { segment: { ...segment, [dimension]: element }, left: part };
    }
    if (narrower === undefined) break;
    ({ segment, left } = narrower);
  }
  return { segment, factors: factorsOf(left) };
}

function elementOf(event: CostEvent, dimension: CostDimension): string {
  return event.dims[dimension] ?? "none";
}

function costOf(events: readonly CostEvent[]): number {
  return events.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0);
}

/** The element that explains two thirds of the change, if the dimension's most surprising elements do. */
function elementToBlame(dimension: CostDimension, { then, now }: Windows): string | undefined {
  const [before, after] = [costsBy(then, dimension), costsBy(now, dimension)];
  const names = new Set([...before.keys(), ...after.keys()]);
  if (names.size < 2) return undefined;
  const [forecast, actual] = [costOf(then), costOf(now)];
  const ranked = [...names]
    .map((element) => {
      const [f, a] = [before.get(element) ?? 0, after.get(element) ?? 0];
      return { element, explains: (a - f) / (actual - forecast), surprise: surprise(f / forecast, a / actual) };
    })
    .sort((x, y) => y.surprise - x.surprise);
  const chosen: typeof ranked = [];
  let explained = 0;
  for (const one of ranked) {
    if (explained > 0.67) break;
    if (one.explains <= 0.1) continue;
    chosen.push(one);
    explained += one.explains;
  }
  const most = chosen.sort((x, y) => y.explains - x.explains)[0];
  return explained > 0.67 && most !== undefined && most.explains >= 0.67 ? most.element : undefined;
}

function costsBy(events: readonly CostEvent[], dimension: CostDimension): ReadonlyMap<string, number> {
  const costs = new Map<string, number>();
  for (const event of events) {
    const element = elementOf(event, dimension);
    costs.set(element, (costs.get(element) ?? 0) + event.costMicroUsd);
  }
  return costs;
}

function surprise(p: number, q: number): number {
  return ((p > 0 ? p * Math.log((2 * p) / (p + q)) : 0) + (q > 0 ? q * Math.log((2 * q) / (p + q)) : 0)) / 2;
}

/** Above 0: by logarithm the rest rose by less than half of what the part rose. */
function calmOfRest(whole: Windows, part: Windows): number {
  if (part.then.length + part.now.length < 30 || whole.then.length - part.then.length < 12) return 0;
  const [f, a] = [costOf(part.then), costOf(part.now)];
  return Math.log(a / f) / 2 - Math.max(0, Math.log((costOf(whole.now) - a) / (costOf(whole.then) - f)));
}

function factorsOf({ then, now }: Windows): AttributionRow["factors"] {
  const parts: Record<string, number> = {};
  const add = (factor: string, change: number) => void (parts[factor] = (parts[factor] ?? 0) + change);
  const [before, after] = [byModel(then), byModel(now)];
  for (const model of new Set([...before.keys(), ...after.keys()])) {
    const [own, earlier] = [after.get(model) ?? [], before.get(model) ?? []];
    const [a, f] = [costOf(own), costOf(earlier)];
    if (a === 0 || f === 0) {
      add("new_models", a - f);
      continue;
    }
    const [x, y] = [measures(own), measures(earlier)];
    const mean = a === f ? a : (a - f) / Math.log(a / f);
    for (const [factor, value] of Object.entries(x)) add(factor, mean * Math.log(value / (y[factor] ?? value)));
  }
  return parts;
}

/** What the cost of one model's events is the product of. */
function measures(events: readonly CostEvent[]): Readonly<Record<string, number>> {
  const tickets = new Set(events.map(({ ticketId }) => ticketId)).size;
  const attempts = new Set(events.map(({ ticketId, attempt }) => `${ticketId} ${attempt}`)).size;
  const tokens = events.reduce((sum, { inputTokens }) => sum + inputTokens, 0);
  const input = events.reduce((sum, { inputCostMicroUsd }) => sum + inputCostMicroUsd, 0);
  const list = events.reduce((sum, { inputTokens, inputPrice }) => sum + (inputTokens * inputPrice) / 1_000_000, 0);
  return {
    tickets,
    attempts_per_ticket: attempts / tickets,
    turns_per_attempt: events.length / attempts,
    tokens_per_turn: tokens / events.length,
    cache_mix: input / list,
    price: list / tokens,
    output_ratio: costOf(events) / input,
  };
}

function byModel(events: readonly CostEvent[]): ReadonlyMap<string, readonly CostEvent[]> {
  const groups = new Map<string, CostEvent[]>();
  for (const event of events) {
    const model = elementOf(event, "model");
    const group = groups.get(model);
    if (group === undefined) groups.set(model, [event]);
    else group.push(event);
  }
  return groups;
}
