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
  /** Sends what was counted until now. Never rejects; what could not be sent stays. One sending at a time. */
  send(): Promise<void>;
  /** Sends everything, also what was counted while an earlier sending was under way. Never rejects. */
  finish(): Promise<void>;
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
    // What is counted from now on waits for the next sending: while requests come without a pause, there is always something more.
    const reports = unanswered === undefined ? 1 : 2;
    for (let nth = 0; nth < reports; nth += 1) {
      unanswered ??= take();
      if (unanswered === undefined) return;
      try {
        await http.send("POST", "/api/features/requests", unanswered);
        unanswered = undefined;
      } catch (error) {
        // A server that calls the report wrong, or is too old to take it, will not take it later either.
        if (error instanceof Refused && error.status !== 401 && error.status !== 403) unanswered = undefined;
        return;
      }
    }
  };

  const send = async (): Promise<void> => {
    sending ??= exchange().finally(() => {
      sending = undefined;
    });
    await sending;
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
    send,
    async finish() {
      // A sending that has begun holds nothing of what was counted since.
      await sending;
      await send();
    },
  };
}
