import type { Clock, Instant } from "../../../core/clock.ts";
import { dayMs } from "../../../core/duration.ts";
import type { ProviderBatchStore, ProviderDelta } from "./open-provider-batch.ts";
import type { ProviderCostReport } from "./provider-batch.ts";
import { compareCosts } from "./reconcile-results.ts";

/** What the comparison of costs needs. */
export interface CostComparisonDeps {
  readonly store: Pick<ProviderBatchStore, "list" | "closed" | "putDelta">;
  /** By OTel's name of the provider. */
  readonly costs: { readonly [provider: string]: ProviderCostReport };
  readonly clock: Pick<Clock, "now">;
}

const comparedDays = 7;

/**
 * Compares our count with each provider's, over the last whole days on which no batch is open any more, and stores the difference.
 * A provider without such a day is left out. Rejects when a provider or the store cannot be asked.
 */
export function createProviderCostComparison({ store, costs, clock }: CostComparisonDeps) {
  return async (signal?: AbortSignal): Promise<readonly ProviderDelta[]> => {
    const [opened, closed] = await Promise.all([store.list(), store.closed()]);
    const deltas: ProviderDelta[] = [];
    for (const [provider, report] of Object.entries(costs)) {
      const starts = opened.filter((batch) => batch.provider === provider).map(({ startedAt }) => startedAt ?? clock.now());
      const until = starts.length === 0 ? dayOf(clock.now()) + dayMs : dayOf(Math.min(...starts));
      const from = until - comparedDays * dayMs;
      const ended = closed.filter((batch) => batch.provider === provider && batch.endedAt >= from && batch.endedAt < until);
      if (ended.length === 0) continue;
      const ours = ended.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0);
      const { oursMicroUsd, providerMicroUsd, deltaRatio } = compareCosts(ours, await report.batchCost(from, until, signal));
      const delta = { provider, at: clock.now(), oursMicroUsd, providerMicroUsd, ...(deltaRatio !== undefined && { deltaRatio }) };
      await store.putDelta(delta);
      deltas.push(delta);
    }
    return deltas;
  };
}

function dayOf(at: Instant): Instant {
  return Math.floor(at / dayMs) * dayMs;
}
