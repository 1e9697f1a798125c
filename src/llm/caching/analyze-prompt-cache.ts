import {
  type CacheAnalysis,
  type CacheAnalysisResult,
  type CacheBlock,
  type CacheCause,
  type CacheTransform,
  type Calibration,
  missCauses,
} from "../../../packages/sdk/src/wire/caches.ts";
import type { Stability } from "../../../packages/sdk/src/wire/prompt-layout.ts";
import { dayMs } from "../../core/duration.ts";
import type { PrefixSample } from "../../core/prefix-sample.ts";
import { type BrokenUnit, countOrders, findBreaks, showDifference } from "./cache-breaks.ts";
import { type CachePrices, measuredInputCost } from "./cache-cost.ts";
import type { CacheRules } from "./cache-rules.ts";
import { measuredTotal, type SegmentedRequest, segmentSamples, warmUp } from "./cache-samples.ts";
import { describeBreak, describeMiss } from "./cache-sentences.ts";
import { canonicalize, cutSpans, orderUnits, pinParameters } from "./cache-transforms.ts";
import { observeUnits } from "./cache-units.ts";
import { calibrateReplay } from "./calibrate-replay.ts";
import { explainMisses } from "./explain-misses.ts";
import { achievableHit, type MarkerChoice, type MarkerSearch, replayMarkers, searchMarkers, unitOrder } from "./search-markers.ts";

/** The samples of one prompt, and the limits of their analysis. */
export interface CacheAnalysisInput {
  /** Of one prompt on one model, in any order. */
  readonly samples: readonly PrefixSample[];
  /** Undefined: the provider's cache is not known. */
  readonly rules: CacheRules | undefined;
  /** Undefined: the model has no price. */
  readonly prices: CachePrices | undefined;
  /** Divides the time that samples must span instead of being many. */
  readonly timeFactor?: number;
}

/** This many requests are sufficient, and so is a day of them when they are at least {@link minRequests}. */
const sufficientRequests = 200;
const minRequests = 20;
const sufficientSpanMs = dayMs;
const maxContradictory = 0.1;
/** A break that could win less than this part of the prompt is not worth a word. */
const minDamage = 0.01;
/** Missed tokens below this part are noise. */
const minMissed = 0.02;
/** A change that saves less than this part of the cost is none. */
const minSaved = 0.02;
const maxStructuralSteps = 6;
/** Requests that the search replays for each set of markers; the choice is replayed over all. */
const searchedRequests = 500;
/** And for the prediction after each step on the way. */
const steppedRequests = 250;

/**
 * Analyses one prompt's caching: calibrates the replay on what was measured, finds what breaks the prefix, mends it in the replay, one cause after the other
 * as mending one exposes the next, and searches markers and lifetimes. Yields often, so that a caller may let others work.
 */
export function* analyzePromptCache({ samples, rules, prices, timeFactor = 1 }: CacheAnalysisInput): Generator<void, CacheAnalysisResult> {
  const missing = (reason: (CacheAnalysisResult & { kind: "missing" })["reason"], sentence: string): CacheAnalysisResult => ({
    kind: "missing",
    reason,
    sentence,
  });
  const { requests, contradictory, layered } = segmentSamples(samples);
  const spanMs = (requests.at(-1)?.at ?? 0) - (requests[0]?.at ?? 0);
  if (samples.length > 0 && contradictory / samples.length > maxContradictory)
    return missing("contradictory_usage", `${contradictory} of ${samples.length} samples contradict their own usage; at most a tenth may.`);
  if (requests.length < sufficientRequests && (requests.length < minRequests || spanMs < sufficientSpanMs / timeFactor))
    return missing(
      "too_few_samples",
      `There are ${requests.length} samples; ${sufficientRequests} are needed, or ${minRequests} over a day. Report the prefix with the usage.`,
    );
  if (rules === undefined) return missing("unknown_rules", "The rules of this provider's prompt cache are not known.");
  if (prices === undefined) return missing("unpriced", "This model has no price for input and cache reads; add it to the price table.");

  const calibration = calibrateReplay(requests, rules);
  yield;
  const mended = yield* mend(requests, { rules, prices, calibration });
  return { kind: "analysed", analysis: { ...mended, contradictory, spanMs, ...blockOf(calibration, layered, mended) } };
}

interface Context {
  readonly rules: CacheRules;
  readonly prices: CachePrices;
  readonly calibration: Calibration;
}

type Prediction = Pick<MarkerChoice, "markers" | "hit" | "costMicroUsd">;

interface Step {
  readonly cause: Omit<CacheCause, "hitAfter" | "savedAfterMicroUsdPerDay">;
  readonly requests: readonly SegmentedRequest[];
}

function* mend(
  sent: readonly SegmentedRequest[],
  { rules, prices, calibration }: Context,
): Generator<void, Omit<CacheAnalysis, "contradictory" | "spanMs" | "blocked">> {
  const countFrom = warmUp(sent, rules.lifetimeMs[rules.lifetimes[0] ?? "5m"]);
  const counted = sent.slice(countFrom);
  const countedMs = Math.max(1, (counted.at(-1)?.at ?? 0) - (counted[0]?.at ?? 0));
  const perDay = (cost: number) => Math.round((cost * dayMs) / countedMs);
  const measuredCost = counted.reduce((sum, { measured }) => sum + measuredInputCost(measured, prices), 0);
  const promptTokens = sent.reduce((sum, { measured }) => sum + measuredTotal(measured), 0) / sent.length;
  const { reliability } = calibration;
  const searchOver = (requests: readonly SegmentedRequest[], newest: number): MarkerSearch => {
    const part = requests.slice(-newest);
    const warm = warmUp(part, rules.lifetimeMs[rules.lifetimes[0] ?? "5m"]);
    return { requests: part, units: observeUnits(requests), rules, prices, reliability, countFrom: warm };
  };
  const asSent: Prediction = { markers: [], hit: calibration.measuredHit, costMicroUsd: measuredCost };
  /** The cheapest markers of a layout. A replay that does not tell what was measured predicts nothing, and neither does a layout that would cost more. */
  const predict = function* (requests: readonly SegmentedRequest[], newest: number): Generator<void, Prediction> {
    if (calibration.verdict === "refused") return asSent;
    const { markers } = yield* searchMarkers(searchOver(requests, newest));
    const prediction = replayMarkers(markers, { requests, units: observeUnits(requests), rules, prices, reliability, countFrom });
    return prediction.costMicroUsd < measuredCost ? prediction : asSent;
  };

  const causes: CacheCause[] = [];
  const recordCause = (cause: Step["cause"], { hit, costMicroUsd }: Prediction) =>
    causes.push({ ...cause, hitAfter: hit, savedAfterMicroUsdPerDay: perDay(measuredCost - costMicroUsd) });
  let working = sent;
  for (const { cause, requests } of structuralSteps(sent, rules, promptTokens)) {
    working = requests;
    recordCause(cause, yield* predict(working, steppedRequests));
  }

  const shares = explainMisses(sent, rules, countFrom);
  const missed = missCauses.filter((miss) => shares[miss] >= minMissed);
  // Parameters and the moment of sending are the application's: a new layout comes without that part of the gain, and must not be measured by it.
  const chosen = yield* predict(missed.includes("fan_out") ? asStaggered(working) : working, searchedRequests);
  const byApplication = missed.includes("fan_out") || causes.some(({ transform }) => transform === "T5");
  const byLayout = byApplication ? yield* predict(asParametrized(working, sent), searchedRequests) : undefined;
  const { markers } = chosen;
  for (const miss of missed)
    recordCause(describeMiss(miss, shares[miss], { rules, markers: chosen === asSent ? undefined : markers }), chosen);
  yield;
  const achievable = Math.max(achievableHit({ ...searchOver(working, sent.length), countFrom }), chosen.hit, calibration.measuredHit);
  const behaviour = observeUnits(working);
  const transforms = [...new Set<CacheTransform>([...causes.map(({ transform }) => transform), "markers"])];
  return {
    requests: sent.length,
    calibration,
    measuredHit: calibration.measuredHit,
    ...(calibration.verdict === "refused" ? {} : { achievableHit: achievable }),
    costPerDay: perDay(measuredCost),
    lostPerDay: Math.max(0, perDay(measuredCost - chosen.costMicroUsd)),
    causes,
    transforms,
    markers,
    predictedHit: chosen.hit,
    predictedCostPerDay: perDay(chosen.costMicroUsd),
    ...(byLayout === undefined
      ? {}
      : { byLayout: { hit: byLayout.hit, costPerDay: perDay(byLayout.costMicroUsd), markers: byLayout.markers } }),
    units: unitOrder(working).flatMap((unit) => behaviour.get(unit) ?? []),
    promptTokens,
  };
}

/** As if of requests that start together one went first and the rest when it answers: what one writes, all others can read. */
function asStaggered(requests: readonly SegmentedRequest[]): readonly SegmentedRequest[] {
  return requests.map((request) => ({ ...request, ttftMs: 0 }));
}

/** Mended requests with the parameters that they were sent with. */
function asParametrized(mended: readonly SegmentedRequest[], sent: readonly SegmentedRequest[]): readonly SegmentedRequest[] {
  return mended.map((request, index) => {
    const parameters = sent[index]?.parameters;
    return parameters === undefined ? request : { ...request, parameters };
  });
}

/** One cause after the other, each mended before the next is looked for. */
function* structuralSteps(sent: readonly SegmentedRequest[], rules: CacheRules, promptTokens: number): Generator<Step> {
  const maxLifetimeMs = rules.lifetimeMs[rules.lifetimes.at(-1) ?? "5m"];
  const mended = new Set<string>();
  const conditional = new Map<string, Stability>();
  let working = sent;
  const orders = countOrders(sent);
  if (orders > 1) {
    working = canonicalize(working);
    mended.add("T1");
    yield { cause: describeBreak({ unit: "tools", class: "order_noise", orders }), requests: working };
  }
  for (let step = 0; step < maxStructuralSteps; step += 1) {
    const units = observeUnits(working);
    const broken = findBreaks(working, maxLifetimeMs, units).find(
      (candidate) => candidate.damageTokens >= promptTokens * minDamage && !mended.has(keyOf(candidate)),
    );
    if (broken === undefined) return;
    mended.add(keyOf(broken));
    if (broken.class === "conditional_section") conditional.set(broken.unit, "ticket");
    const stabilities = new Map([...units].map(([unit, { stability }]) => [unit, conditional.get(unit) ?? stability]));
    const example = showDifference(working, broken);
    working = applyTo(working, broken, stabilities);
    const cause = describeBreak(broken, units.get(broken.unit));
    yield { cause: example === undefined ? cause : { ...cause, evidence: { ...cause.evidence, example } }, requests: working };
  }
}

function keyOf({ unit, class: name }: BrokenUnit): string {
  // A canonical form and an order are of the whole prompt.
  return name === "order_noise" ? "T1" : `${unit} ${name}`;
}

function applyTo(
  requests: readonly SegmentedRequest[],
  broken: BrokenUnit,
  stabilities: ReadonlyMap<string, Stability>,
): readonly SegmentedRequest[] {
  switch (broken.class) {
    case "order_noise":
      return canonicalize(requests);
    case "volatile_span":
      return cutSpans(requests, broken.unit);
    case "parameter_churn":
      return pinParameters(requests);
    case "scope_order":
    case "conditional_section":
    case "changes_often":
      return orderUnits(requests, stabilities);
  }
}

function blockOf(
  calibration: Calibration,
  layered: boolean,
  { costPerDay, lostPerDay, byLayout }: Pick<CacheAnalysis, "costPerDay" | "lostPerDay" | "byLayout">,
): { readonly blocked?: CacheBlock } {
  if (calibration.verdict !== "calibrated") return { blocked: "uncalibrated" };
  if (lostPerDay <= costPerDay * minSaved) return { blocked: "nothing_to_gain" };
  if (byLayout !== undefined && costPerDay - byLayout.costPerDay <= costPerDay * minSaved) return { blocked: "not_the_layout" };
  return layered ? {} : { blocked: "no_layers" };
}

/** Runs an analysis to its end at once. */
export function analyzeCacheAtOnce(input: CacheAnalysisInput): CacheAnalysisResult {
  const steps = analyzePromptCache(input);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
