/** What is usual of a span, and how much one span differs from the next. */
export interface UsualSpan {
  readonly mean: number;
  readonly deviation: number;
}

/** Slack k and threshold h of the cumulative sum, in deviations. */
const slack = 0.5;
const threshold = 5;
/** A rise below a tenth is no spike, so no calm is taken for calmer than that. */
const leastDeviation = 0.1;

/** Mean and standard deviation of what is usual. Undefined: fewer than two spans, or nothing was spent in them. */
export function usualSpan(spans: readonly number[]): UsualSpan | undefined {
  if (spans.length < 2) return undefined;
  const mean = spans.reduce((sum, span) => sum + span, 0) / spans.length;
  if (mean <= 0) return undefined;
  const variance = spans.reduce((sum, span) => sum + (span - mean) ** 2, 0) / (spans.length - 1);
  return { mean, deviation: Math.max(Math.sqrt(variance), leastDeviation * mean) };
}

/**
 * Index of the span in which the cost began to be above what is usual: one-sided tabular CUSUM (Page, Biometrika 41, 1954), S = max(0, S + x − mean − k·σ)
 * with k = 0.5 and an alarm at h = 5σ; the onset is the first span after S was 0 for the last time before the first alarm. Undefined: no alarm.
 */
export function findOnset(spans: readonly number[], { mean, deviation }: UsualSpan): number | undefined {
  let sum = 0;
  let onset = 0;
  for (const [index, span] of spans.entries()) {
    sum = Math.max(0, sum + span - mean - slack * deviation);
    if (sum === 0) onset = index + 1;
    if (sum > threshold * deviation) return onset;
  }
  return undefined;
}

/** How many standard errors the mean of these spans lies above what is usual. */
export function riseInDeviations(spans: readonly number[], { mean, deviation }: UsualSpan): number {
  const sum = spans.reduce((all, span) => all + span, 0);
  return (sum - spans.length * mean) / (deviation * Math.sqrt(spans.length));
}
