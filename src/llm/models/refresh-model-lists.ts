import type { Clock, Instant } from "../../core/clock.ts";
import { dayMs, hourMs } from "../../core/duration.ts";
import { shortLine } from "../../core/one-line.ts";
import type { KeptModel, ListedModel, ModelListing, ModelListingStore, ModelSource, ProviderModels } from "./model-listing.ts";

/** How often the job looks whether a list is due, and how old a list gets before it is read again; divided by a demo's factor. */
export const modelListTimes = { checkMs: hourMs, ageMs: dayMs } as const;

/** Models that a list no longer has are kept so long. */
const vanishedMs = 400 * dayMs;
const maxKept = 2000;
const maxUnreadable = 50;

/** What reading the lists needs. */
export interface ModelListRefresh {
  readonly sources: readonly ModelSource[];
  readonly store: ModelListingStore;
  readonly clock: Pick<Clock, "now">;
  /** A list that is younger is not read again. */
  readonly ageMs: number;
}

/**
 * Reads the lists that are due. A list that cannot be read, or is empty, leaves what is kept as it is, with its age; it is tried again at the next call.
 * Rejects only when the store does not answer, or with the signal's reason.
 */
export async function refreshModelLists({ sources, store, clock, ageMs }: ModelListRefresh, signal: AbortSignal): Promise<void> {
  const kept = new Map((await store.list()).map((listing) => [listing.provider, listing]));
  for (const source of sources) {
    const { provider } = source;
    const before = kept.get(provider);
    const at = clock.now();
    if (before !== undefined && at - before.at < ageMs) continue;
    const answer = await readList(source, signal);
    if (typeof answer === "string") await store.fail({ provider, at, reason: answer });
    else {
      const { models, unreadable } = answer;
      await store.put({ provider, at, models: mergeModels(before, models, at), unreadable: unreadable.slice(0, maxUnreadable) });
    }
  }
}

/** The list, or why there is none. */
async function readList(source: ModelSource, signal: AbortSignal): Promise<ProviderModels | string> {
  try {
    const answer = await source.list(signal);
    return answer.models.length > 0 ? answer : `${source.provider} answered a list without a model that can be read`;
  } catch (error) {
    signal.throwIfAborted();
    return shortLine(error instanceof Error ? error.message : String(error), 300);
  }
}

function mergeModels(before: ModelListing | undefined, models: readonly ListedModel[], now: Instant): readonly KeptModel[] {
  const listed = new Map(models.map((model): [string, KeptModel] => [model.model, { ...model, listedAt: now }]));
  const vanished = (before?.models ?? []).filter(({ model, listedAt }) => !listed.has(model) && now - listedAt < vanishedMs);
  return [...listed.values(), ...vanished].slice(0, maxKept);
}
