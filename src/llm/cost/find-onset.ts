/** What is usual of a span, and how much one span differs from the next. */
export interface BaselineStatistics {
  readonly mean: number;
  readonly deviation: number;
  /** How many spans this is told from. */
  readonly count: number;
}

/** Slack k and threshold h of the cumulative sum, in deviations. */
const slack = 0.5;
const threshold = 5;
/** A span this many deviations above what is usual belongs to the rise that follows it. */
const clear = 2;
/** A rise below a tenth is no spike, so no calm is taken for calmer than that. */
const minDeviation = 0.1;

/** Mean and standard deviation of what is usual. Undefined: fewer than two spans, or nothing was spent in them. */
export function baselineStatistics(spans: readonly number[]): BaselineStatistics | undefined {
  if (spans.length < 2) return undefined;
  const mean = spans.reduce((sum, span) => sum + span, 0) / spans.length;
  if (mean <= 0) return undefined;
  const variance = spans.reduce((sum, span) => sum + (span - mean) ** 2, 0) / (spans.length - 1);
  return { mean, deviation: Math.max(Math.sqrt(variance), minDeviation * mean), count: spans.length };
}

/**
 * Index of the span in which the cost began to be above what is usual; undefined: it did not.
 * Whether it did is decided by a one-sided tabular CUSUM (Page, Biometrika 41, 1954): S = max(0, S + x − mean − k·σ) with k = 0.5, and an alarm at 5σ.
 * When, by the change point of least squares (Hinkley, Biometrika 57, 1970) over what is usual and these spans. The last zero of S would do with a
 * perfect notion of what is usual; one that is a little low keeps S above zero long before the rise. A rise that grows has its change point in its middle,
 * so the spans directly before it that are clearly above what is usual are part of it.
 */
export function findOnset(spans: readonly number[], baseline: BaselineStatistics): number | undefined {
  if (!rises(spans, baseline)) return undefined;
  let onset = changePoint(spans, baseline);
  while (onset > 0 && (spans[onset - 1] ?? 0) > baseline.mean + clear * baseline.deviation) onset -= 1;
  return onset;
}

function rises(spans: readonly number[], { mean, deviation }: BaselineStatistics): boolean {
  let sum = 0;
  return spans.some((span) => {
    sum = Math.max(0, sum + span - mean - slack * deviation);
    return sum > threshold * deviation;
  });
}

/** The split of the spans that leaves the least squares around the means of its two sides: the one with the largest (difference of means)²·n·m/(n+m). */
function changePoint(spans: readonly number[], baseline: BaselineStatistics): number {
  let before = baseline.mean * baseline.count;
  let after = spans.reduce((sum, span) => sum + span, 0);
  let [best, onset] = [0, 0];
  for (const [index, span] of spans.entries()) {
    const [earlier, later] = [baseline.count + index, spans.length - index];
    const difference = after / later - before / earlier;
    const apart = difference > 0 ? (difference ** 2 * earlier * later) / (earlier + later) : 0;
    if (apart > best) [best, onset] = [apart, index];
    before += span;
    after -= span;
  }
  return onset;
}

/** How many standard errors the mean of these spans lies above what is usual. */
export function riseInDeviations(spans: readonly number[], { mean, deviation }: BaselineStatistics): number {
  const sum = spans.reduce((all, span) => all + span, 0);
  return (sum - spans.length * mean) / (deviation * Math.sqrt(spans.length));
}
