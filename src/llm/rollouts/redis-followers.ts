import type { Redis } from "ioredis";
import type { Clock } from "../../core/clock.ts";
import { sha256 } from "../../core/json.ts";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { type FollowerBook, followerMaxAgeMs, maxFollowers } from "./followers.ts";
import { recordFollower } from "./redis-follower-script.ts";

/** Followers in one hash for each document. Rejects with StoreUnavailable when Redis does not answer. */
export function createFollowerBook({ redis, clock }: { readonly redis: Redis; readonly clock: Pick<Clock, "now"> }): FollowerBook {
  return {
    record: async ({ document, instance, tag = "" }) => {
      const now = clock.now();
      await available(async () =>
        recordFollower.run(redis, {
          keys: { followers: keys.followers(document) },
          args: {
            instance: sha256(instance).slice(0, 16),
            // A tag of ours has 34 characters; any other one only has to differ from it.
            sighting: `${now} ${tag.slice(0, 40)}`,
            maxFollowers,
            oldest: now - followerMaxAgeMs,
            retentionMs: 2 * followerMaxAgeMs,
          },
        }),
      );
    },
    count: (document, tag) =>
      available(async () => {
        const since = clock.now() - followerMaxAgeMs;
        const sightings = (await redis.hvals(keys.followers(document))).filter((sighting) => Number.parseInt(sighting, 10) > since);
        const current = sightings.filter((sighting) => sighting.slice(sighting.indexOf(" ") + 1) === tag);
        return { followers: sightings.length, current: current.length };
      }),
  };
}
