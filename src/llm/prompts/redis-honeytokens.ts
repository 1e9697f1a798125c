import type { Redis } from "ioredis";
import type { RandomSource } from "../../core/random.ts";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { type HoneytokenStore, honeytokenBytes } from "./honeytoken.ts";

/** Honeytokens in one hash in Redis, by their prompts. Rejects with StoreUnavailable when Redis does not answer. */
export function createHoneytokenStore(redis: Redis, random: Pick<RandomSource, "bytes">): HoneytokenStore {
  const read = async (prompt: string) => (await redis.hget(keys.honeytokens, prompt)) ?? undefined;
  return {
    ensure: (prompt) =>
      available(async () => {
        await redis.hsetnx(keys.honeytokens, prompt, random.bytes(honeytokenBytes).toString("hex"));
        const token = await read(prompt);
        if (token === undefined) throw new Error(`The honeytoken of prompt ${prompt} was written and is not there.`);
        return token;
      }),
    read: (prompt) => available(async () => read(prompt)),
    all: () =>
      available(async () => new Map(Object.entries(await redis.hgetall(keys.honeytokens)).map(([prompt, token]) => [token, prompt]))),
  };
}
