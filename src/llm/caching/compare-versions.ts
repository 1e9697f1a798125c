import type { PrefixSample } from "../../core/prefix-sample.ts";

/** What one version of a prompt did. Ratios are 0 to 1; costs are micro-USD of input tokens, not rounded. */
export interface VersionMeasure {
  readonly version: string;
  readonly requests: number;
  readonly tickets: number;
  /** Read input tokens of all, weighted by tokens. */
  readonly hit: number;
  readonly costPerRequestMicroUsd: number;
  /** Variance of the logarithm of the cost per request, from the spread between tickets; undefined with fewer than two tickets or without a cost. */
  readonly costLogVariance?: number;
}

/** What a comparison of cost needs of a version. */
export type VersionCost = Pick<VersionMeasure, "costPerRequestMicroUsd" | "costLogVariance">;

/** What is measured. */
export interface MeasureOptions {
  /** Samples before it are left out, UTC ms. */
  readonly from: number;
  /** The first while of a version finds a cold cache, which is nobody's fault: so long after its first sample nothing counts. */
  readonly coldMs: number;
  /** What the input of one request costs, in micro-USD. */
  readonly costOf: (measured: NonNullable<PrefixSample["measured"]>) => number;
}

/** Measures every version among the samples of one prompt on one model. Samples without a version or with contradictory usage are left out. */
export function measureVersions(samples: readonly PrefixSample[], { from, coldMs, costOf }: MeasureOptions): readonly VersionMeasure[] {
  const groups = new Map<string, PrefixSample[]>();
  for (const sample of samples) {
    if (sample.promptVersion === undefined || sample.measured === undefined || sample.at < from) continue;
    const group = groups.get(sample.promptVersion);
    if (group === undefined) groups.set(sample.promptVersion, [sample]);
    else group.push(sample);
  }
  return [...groups].map(([version, versionSamples]) => {
    const first = Math.min(...versionSamples.map(({ at }) => at));
    return measureOne(
      version,
      versionSamples.filter(({ at }) => at >= first + coldMs),
      costOf,
    );
  });
}

function measureOne(version: string, samples: readonly PrefixSample[], costOf: MeasureOptions["costOf"]): VersionMeasure {
  const tickets = new Map<string, { costMicroUsd: number; requests: number }>();
  let read = 0;
  let total = 0;
  let cost = 0;
  for (const { ticketId, measured } of samples) {
    if (measured === undefined) continue;
    const { uncached, write5m, write30m, write1h, write12h } = measured;
    read += measured.read;
    total += uncached + measured.read + write5m + write30m + write1h + write12h;
    const totals = tickets.get(ticketId) ?? { costMicroUsd: 0, requests: 0 };
    const spent = costOf(measured);
    cost += spent;
    tickets.set(ticketId, { costMicroUsd: totals.costMicroUsd + spent, requests: totals.requests + 1 });
  }
  return {
    version,
    requests: samples.length,
    tickets: tickets.size,
    hit: total === 0 ? 0 : read / total,
    costPerRequestMicroUsd: samples.length === 0 ? 0 : cost / samples.length,
    ...costSpread([...tickets.values()]),
  };
}

const z95 = 1.645;

/**
 * Upper end of a one-sided 95 % interval of the ratio of cost per request, new to old, by the delta method on its logarithm. Undefined when either side has too
 * few tickets to tell.
 */
export function costRatioUpper(candidate: VersionCost, baseline: VersionCost): number | undefined {
  if (candidate.costLogVariance === undefined || baseline.costLogVariance === undefined) return undefined;
  const ratio = candidate.costPerRequestMicroUsd / baseline.costPerRequestMicroUsd;
  return ratio * Math.exp(z95 * Math.sqrt(candidate.costLogVariance + baseline.costLogVariance));
}

/** Tickets are the units, as requests of one ticket belong together: linearised variance of a ratio of sums (W. G. Cochran, Sampling Techniques, chapter 6). */
function costSpread(
  tickets: readonly { readonly costMicroUsd: number; readonly requests: number }[],
): Pick<VersionMeasure, "costLogVariance"> {
  const count = tickets.length;
  const cost = tickets.reduce((sum, one) => sum + one.costMicroUsd, 0);
  const requests = tickets.reduce((sum, one) => sum + one.requests, 0);
  if (count < 2 || !(cost > 0)) return {};
  const squares = tickets.reduce((sum, one) => sum + (one.costMicroUsd - (cost / requests) * one.requests) ** 2, 0);
  return { costLogVariance: (count / (count - 1)) * (squares / cost ** 2) };
}
