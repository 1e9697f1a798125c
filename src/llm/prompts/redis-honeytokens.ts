import type { Redis } from "ioredis";
import type { RandomSource } from "../../core/random.ts";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { type HoneytokenStore, honeytokenBytes, maxHoneytokens } from "./honeytoken.ts";
import { promptScripts } from "./redis-scripts.ts";

/** Honeytokens in one hash in Redis, by their prompts, the newest of each first. Rejects with StoreUnavailable when Redis does not answer. */
export function createHoneytokenStore(redis: Redis, random: Pick<RandomSource, "bytes">): HoneytokenStore {
  const make = (prompt: string, rotate: boolean) =>
    available(async () => {
      const token = random.bytes(honeytokenBytes).toString("hex");
      const reply = await promptScripts.setHoneytoken.run(redis, {
        keys: { honeytokens: keys.honeytokens },
        args: { prompt, newToken: token, rotate, maxTokens: maxHoneytokens },
      });
      return reply === 1 ? token : undefined;
    });
  return {
    create: (prompt) => make(prompt, false),
    async rotate(prompt) {
      const token = await make(prompt, true);
      if (token === undefined) throw new Error(`The honeytoken of prompt ${prompt} was not replaced.`);
      return token;
    },
    read: (prompt) => available(async () => (await redis.hget(keys.honeytokens, prompt))?.split(",")[0]),
    all: () =>
      available(
        async () =>
          new Map(
            Object.entries(await redis.hgetall(keys.honeytokens)).flatMap(([prompt, tokens]) =>
              tokens.split(",").map((token) => [token, prompt] as const),
            ),
          ),
      ),
  };
}
