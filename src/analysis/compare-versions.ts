import type { PrefixSample } from "../core/prefix-sample.ts";

/** What one version of a prompt did. Ratios are 0 to 1; costs are micro-USD of input tokens, not rounded. */
export interface VersionMeasure {
  readonly version: string;
  readonly requests: number;
  readonly tickets: number;
  /** Read input tokens of all, weighted by tokens. */
  readonly hit: number;
  readonly costPerRequestMicroUsd: number;
  /** Cost and requests of each ticket; what a comparison resamples. */
  readonly byTicket: readonly { readonly costMicroUsd: number; readonly requests: number }[];
}

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
  return [...groups].map(([version, own]) => {
    const first = Math.min(...own.map(({ at }) => at));
    return measureOne(
      version,
      own.filter(({ at }) => at >= first + coldMs),
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
    const own = tickets.get(ticketId) ?? { costMicroUsd: 0, requests: 0 };
    const spent = costOf(measured);
    cost += spent;
    tickets.set(ticketId, { costMicroUsd: own.costMicroUsd + spent, requests: own.requests + 1 });
  }
  return {
    version,
    requests: samples.length,
    tickets: tickets.size,
    hit: total === 0 ? 0 : read / total,
    costPerRequestMicroUsd: samples.length === 0 ? 0 : cost / samples.length,
    byTicket: [...tickets.values()],
  };
}

const z95 = 1.645;

/**
 * Upper end of a one-sided 95 % interval of the ratio of cost per request, new to old. Tickets are the units, as requests of one ticket belong together: the
 * variance of each ratio of sums by linearisation, that of the logarithm of their ratio by the delta method (W. G. Cochran, Sampling Techniques, chapter 6).
 * Undefined with fewer than two tickets on a side or without a cost.
 */
export function costRatioUpper(
  candidate: Pick<VersionMeasure, "byTicket">,
  baseline: Pick<VersionMeasure, "byTicket">,
): number | undefined {
  const [own, old] = [ratioOf(candidate), ratioOf(baseline)];
  if (own === undefined || old === undefined) return undefined;
  return (own.ratio / old.ratio) * Math.exp(z95 * Math.sqrt(own.logVariance + old.logVariance));
}

function ratioOf({ byTicket }: Pick<VersionMeasure, "byTicket">): { readonly ratio: number; readonly logVariance: number } | undefined {
  const count = byTicket.length;
  const cost = byTicket.reduce((sum, one) => sum + one.costMicroUsd, 0);
  const requests = byTicket.reduce((sum, one) => sum + one.requests, 0);
  if (count < 2 || !(cost > 0) || requests === 0) return undefined;
  const ratio = cost / requests;
  const squares = byTicket.reduce((sum, one) => sum + (one.costMicroUsd - ratio * one.requests) ** 2, 0);
  return { ratio, logVariance: (count / (count - 1)) * (squares / cost ** 2) };
}
