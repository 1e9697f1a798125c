import { type Http, Refused } from "./http.ts";
import { type FeatureReport, type FeatureRequests, featureNameSchema } from "./wire/flags.ts";

const maxFeatures = 50;
const maxCount = 1_000_000_000;

/** What became of a request of a feature. */
export type RequestOutcome = "served" | "refused";

/** Counts of requests by feature on their way to runbookd. */
export interface FeatureRequestCounter {
  /** Shows the feature at zero before its first request, so that a rise from zero can be seen. */
  announce(feature: string): void;
  /** A name that is not a feature's name, and the features beyond the first 50 of a report, are not counted. */
  count(feature: string, outcome: RequestOutcome): void;
  /** Sends what was counted. Never rejects; what could not be sent stays. One sending at a time. */
  send(): Promise<void>;
}

/**
 * Adds up in memory: one pair of numbers for each feature, however long runbookd is away. A report keeps its sequence number until it is answered, so that one
 * whose answer was lost is not counted twice. `reporter` must be random for each counter.
 */
export function createFeatureRequestCounter({ http, reporter }: { readonly http: Http; readonly reporter: string }): FeatureRequestCounter {
  const counts = new Map<string, FeatureRequests>();
  const announced = new Set<string>();
  let unanswered: FeatureReport | undefined;
  let sequence = 0;
  let sending: Promise<void> | undefined;

  const entryOf = (feature: string): FeatureRequests | undefined => {
    const entry = counts.get(feature);
    if (entry !== undefined) return entry;
    return counts.size < maxFeatures && featureNameSchema.safeParse(feature).success ? { feature, served: 0, refused: 0 } : undefined;
  };

  const take = (): FeatureReport | undefined => {
    if (counts.size === 0) return undefined;
    sequence += 1;
    const report = { reporter, sequence, counts: [...counts.values()] };
    counts.clear();
    return report;
  };

  const exchange = async (): Promise<void> => {
    for (unanswered ??= take(); unanswered !== undefined; unanswered = take()) {
      try {
        await http.send("POST", "/api/features/requests", unanswered);
      } catch (error) {
        // A server that calls the report wrong, or is too old to take it, will not take it later either.
        if (error instanceof Refused && error.status !== 401 && error.status !== 403) unanswered = undefined;
        return;
      }
    }
  };

  return {
    announce(feature) {
      if (announced.has(feature) || announced.size >= maxFeatures) return;
      const entry = entryOf(feature);
      if (entry === undefined) return;
      announced.add(feature);
      counts.set(feature, entry);
    },
    count(feature, outcome) {
      const entry = entryOf(feature);
      if (entry !== undefined) counts.set(feature, { ...entry, [outcome]: Math.min(maxCount, entry[outcome] + 1) });
    },
    async send() {
      sending ??= exchange().finally(() => {
        sending = undefined;
      });
      await sending;
    },
  };
}
