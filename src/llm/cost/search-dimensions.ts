import { type CostDimension, costDimensions } from "../../../packages/sdk/src/wire/cost-dimension.ts";
import type { DimensionFinding, ElementChange, Segment } from "../../../packages/sdk/src/wire/costs.ts";
import type { CostWindow } from "./cost-window.ts";

/** An element counts from this part of the change on, and a dimension once its elements explain so much of it. */
const minElement = 0.1;
const minDimension = 0.67;

/** Two windows of the same length: `now` is the incident, `then` what it is compared with; `scale` brings the costs of `then` to the length of `now`. */
export interface ComparedWindows {
  readonly now: CostWindow;
  readonly then: CostWindow;
  readonly scale: number;
}

/**
 * Dimensions that explain a change of cost, the most surprising first: Adtributor for one fundamental measure (Bhagwan et al., NSDI 2014), with
 * explanatory power (A−F of an element)/(A−F) and surprise by the Jensen–Shannon divergence of its shares. Empty: the change is spread over everything.
 */
export function searchDimensions(windows: ComparedWindows, within: Segment = {}): readonly DimensionFinding[] {
  const { now, then, scale } = windows;
  const actual = now.total(within).costMicroUsd;
  const forecast = then.total(within).costMicroUsd * scale;
  const change = actual - forecast;
  if (change === 0) return [];
  return costDimensions
    .filter((dimension) => within[dimension] === undefined)
    .flatMap((dimension) =>
      explain(dimension, { now: now.costBy(dimension, within), then: then.costBy(dimension, within), scale }, { actual, forecast }),
    )
    .toSorted((a, b) => b.surprise - a.surprise || costDimensions.indexOf(a.dimension) - costDimensions.indexOf(b.dimension));
}

/** Costs by element of one dimension, as {@link ComparedWindows} compares them. */
interface ComparedElements {
  readonly now: ReadonlyMap<string, number>;
  readonly then: ReadonlyMap<string, number>;
  readonly scale: number;
}

function explain(
  dimension: CostDimension,
  { now, then, scale }: ComparedElements,
  { actual, forecast }: { readonly actual: number; readonly forecast: number },
): readonly DimensionFinding[] {
  const names = [...new Set([...now.keys(), ...then.keys()])];
  // A dimension of one element says nothing about which.
  if (names.length < 2) return [];
  const ranked = names
    .map((element): ElementChange => {
      const a = now.get(element) ?? 0;
      const f = (then.get(element) ?? 0) * scale;
      return { element, explains: (a - f) / (actual - forecast), surprise: surpriseOf(shareOf(f, forecast), shareOf(a, actual)) };
    })
    .toSorted((a, b) => b.surprise - a.surprise || (a.element < b.element ? -1 : 1));
  const elements: ElementChange[] = [];
  let explains = 0;
  let surprise = 0;
  for (const one of ranked) {
    if (explains > minDimension) break;
    if (one.explains <= minElement) continue;
    elements.push(one);
    explains += one.explains;
    surprise += one.surprise;
  }
  return explains > minDimension ? [{ dimension, elements, explains, surprise }] : [];
}

/** S = ½(p·ln(2p/(p+q)) + q·ln(2q/(p+q))) of the shares p in the forecast and q in what happened. */
function surpriseOf(p: number, q: number): number {
  const term = (x: number, y: number): number => (x > 0 ? x * Math.log((2 * x) / (x + y)) : 0);
  return 0.5 * (term(p, q) + term(q, p));
}

function shareOf(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

/** How deep a segment is drilled, and how small it may become. */
const deepest = 3;
const minEvents = 30;
/** Below this part of the element's rise, by logarithm, the rest is nearer to calm than to having risen alike. */
const calmRiseRatio = 0.5;
/** This many earlier events outside an element show whether the others are calm; with fewer that cannot be seen, and the wider segment is the answer. */
const minOutside = 12;

/** A segment and how much of the whole change it explains. */
export interface SegmentExplanation {
  readonly segment: Segment;
  /** Of the whole change. */
  readonly explains: number;
  readonly findings: readonly DimensionFinding[];
}

/**
 * Drills into the element that explains most of what is left while the rest stays calm, as long as there is one; of several the one whose rest is calmest.
 * Undefined: no element of any dimension explains the change.
 */
export function drillDown(windows: ComparedWindows): SegmentExplanation | undefined {
  const { now, then, scale } = windows;
  const change = now.costMicroUsd - then.costMicroUsd * scale;
  let segment: Segment = {};
  const findings: DimensionFinding[] = [];
  for (let depth = 0; depth < deepest; depth += 1) {
    const best = searchDimensions(windows, segment)
      .map((finding) => {
        const element = finding.elements.toSorted((a, b) => b.explains - a.explains)[0];
        const next = { ...segment, [finding.dimension]: element?.element };
        return { finding, next, contrast: (element?.explains ?? 0) >= minDimension ? contrastOf(windows, segment, next) : 0 };
      })
      .toSorted((a, b) => b.contrast - a.contrast)
      .at(0);
    if (best === undefined || best.contrast <= 0) break;
    segment = best.next;
    findings.push(best.finding);
  }
  if (findings.length === 0 || change === 0) return undefined;
  const rise = now.total(segment).costMicroUsd - then.total(segment).costMicroUsd * scale;
  return { segment, explains: rise / change, findings };
}

/**
 * How much calmer the rest of `whole` is than `part`: above 0 when the rest is nearer to calm than to the rise of the part.
 * When all of a segment rose alike, an element that holds most of its cost explains most of its change and yet is no narrower answer.
 */
function contrastOf({ now, then, scale }: ComparedWindows, whole: Segment, part: Segment): number {
  const [a, f] = [now.total(part), then.total(part)];
  const [allNow, allThen] = [now.total(whole), then.total(whole)];
  if (a.events + f.events < minEvents || allThen.events - f.events < minOutside) return 0;
  const before = f.costMicroUsd * scale;
  const remainderBefore = allThen.costMicroUsd * scale - before;
  const remainderAfter = allNow.costMicroUsd - a.costMicroUsd;
  if (remainderBefore <= 0) return 0;
  // What was not there before, as most batches, is the answer only when nothing that was there is: nothing of it can be compared.
  if (before <= 0) return Object.keys(whole).length === 0 ? Number.MIN_VALUE : 0;
  return calmRiseRatio * Math.log(a.costMicroUsd / before) - Math.max(0, Math.log(remainderAfter / remainderBefore));
}
