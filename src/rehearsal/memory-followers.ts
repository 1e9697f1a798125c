import type { Clock } from "../core/clock.ts";
import { type FollowerBook, followerMaxAgeMs, maxFollowers } from "../llm/rollouts/followers.ts";

/** Followers in memory, for rehearsals and tests. */
export function createMemoryFollowers(clock: Pick<Clock, "now">): FollowerBook {
  const documents = new Map<string, Map<string, { readonly at: number; readonly tag: string | undefined }>>();
  const followersOf = (document: string) => {
    const followers = documents.get(document) ?? new Map<string, { readonly at: number; readonly tag: string | undefined }>();
    documents.set(document, followers);
    for (const [instance, { at }] of followers) if (at <= clock.now() - followerMaxAgeMs) followers.delete(instance);
    return followers;
  };
  return {
    async record({ document, instance, tag }) {
      const followers = followersOf(document);
      if (followers.has(instance) || followers.size < maxFollowers) followers.set(instance, { at: clock.now(), tag });
    },
    async count(document, tag) {
      const followers = [...followersOf(document).values()];
      return { followers: followers.length, current: followers.filter((one) => one.tag === tag).length };
    },
  };
}
