import type { Redis } from "ioredis";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import type { ListingFailure, ModelListing, ModelListingStore } from "./model-listing.ts";

/** Lists of models in two hashes by provider. Rejects with StoreUnavailable when Redis does not answer. */
export function createModelListingStore(redis: Redis): ModelListingStore {
  return {
    list: () =>
      available(async () => {
        const listings = (await redis.hvals(keys.modelListings)).map((text): ModelListing => JSON.parse(text));
        return listings.toSorted((a, b) => (a.provider < b.provider ? -1 : 1));
      }),
    failures: () =>
      available(async () => {
        const failures = (await redis.hvals(keys.modelListingFailures)).map((text): ListingFailure => JSON.parse(text));
        return failures.toSorted((a, b) => (a.provider < b.provider ? -1 : 1));
      }),
    put: (listing) =>
      available(async () => {
        const { provider } = listing;
        await redis.multi().hset(keys.modelListings, provider, JSON.stringify(listing)).hdel(keys.modelListingFailures, provider).exec();
      }),
    fail: (failure) =>
      available(async () => {
        await redis.hset(keys.modelListingFailures, failure.provider, JSON.stringify(failure));
      }),
  };
}
