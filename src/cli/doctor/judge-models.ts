import { type Finding, fine, warning } from "../../core/diagnosis.ts";
import { dayMs } from "../../core/duration.ts";
import type { ListingFailure, ModelListing } from "../../llm/models/model-listing.ts";

/** What is kept of the providers' lists of models. */
export interface ModelLists {
  readonly listings: readonly ModelListing[];
  readonly failures: readonly ListingFailure[];
}

/** How old the lists are of the providers that have a key, and why one could not be read. */
export function judgeModelLists({ listings, failures }: ModelLists, providers: readonly string[], now: number): readonly Finding[] {
  return providers.map((provider) => {
    const what = `Models of ${provider}`;
    const listing = listings.find((one) => one.provider === provider);
    const failure = failures.find((one) => one.provider === provider);
    const fix = `Correct its key or address; what is known of the models stays until then, and gets older.`;
    if (listing === undefined) {
      if (failure === undefined) return warning(what, "not read yet", "A worker reads the list within an hour of its start.");
      return warning(what, `never read: ${failure.reason}`, fix);
    }
    const days = Math.floor((now - listing.at) / dayMs);
    const age = `${listing.models.length} models, read ${days === 0 ? "today" : days === 1 ? "a day ago" : `${days} days ago`}`;
    if (failure !== undefined) return warning(what, `${age}; since then ${failure.reason}`, fix);
    const { unreadable } = listing;
    if (unreadable.length === 0) return fine(what, age);
    return warning(
      what,
      `${age}; ${unreadable.length} could not be read: ${unreadable.slice(0, 5).join(", ")}`,
      "A newer version may know them.",
    );
  });
}
