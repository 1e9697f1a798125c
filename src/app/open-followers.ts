import type { Redis } from "ioredis";
import { type FollowerBook, throttleFollowers } from "../llm/rollouts/followers.ts";
import { createFollowerBook } from "../llm/rollouts/redis-followers.ts";
import type { Runtime } from "./runtime.ts";

/** Which processes follow the documents that this server serves. */
export function openFollowers({ clock }: Pick<Runtime, "clock">, redis: Redis): FollowerBook {
  return throttleFollowers(createFollowerBook({ redis, clock }), clock);
}
