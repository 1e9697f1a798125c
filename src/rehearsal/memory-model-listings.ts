import type { ListingFailure, ModelListing, ModelListingStore } from "../llm/models/model-listing.ts";

/** Lists of models in memory, for rehearsals and tests. */
export function createMemoryModelListings(...initial: readonly ModelListing[]): ModelListingStore {
  const listings = new Map(initial.map((listing) => [listing.provider, listing]));
  const failures = new Map<string, ListingFailure>();
  const sorted = <Entry extends { readonly provider: string }>(entries: Iterable<Entry>) =>
    [...entries].toSorted((a, b) => (a.provider < b.provider ? -1 : 1));
  return {
    list: async () => sorted(listings.values()),
    failures: async () => sorted(failures.values()),
    async put(listing) {
      listings.set(listing.provider, listing);
      failures.delete(listing.provider);
    },
    fail: async (failure) => void failures.set(failure.provider, failure),
  };
}
