import type { Redis } from "ioredis";
import { z } from "zod";
import { type Flag, flagDefinitionSchema } from "../../../packages/sdk/src/wire/flags.ts";
import type { Clock } from "../../core/clock.ts";
import { available } from "../../platform/redis/available.ts";
import { resultList } from "../../platform/redis/script.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { definitionOf, type FlagStore, isSameDefinition, maxFlags } from "./flag.ts";
import { setFlag } from "./redis-scripts.ts";

const stored = flagDefinitionSchema.extend({ at: z.number(), by: z.string(), reason: z.string() });

/** Flags in one hash. Rejects with StoreUnavailable when Redis does not answer. */
export function createFlagStore({ redis, clock }: { readonly redis: Redis; readonly clock: Pick<Clock, "now"> }): FlagStore {
  return {
    read: (key) =>
      available(async () => {
        const text = await redis.hget(keys.flags, key);
        return text === null ? undefined : parse(key, text);
      }),
    find: (wanted) =>
      available(async () => {
        const distinct = [...new Set(wanted)].toSorted();
        if (distinct.length === 0) return [];
        const texts = await redis.hmget(keys.flags, ...distinct);
        return distinct.flatMap((key, at) => {
          const text = texts[at];
          return text === null || text === undefined ? [] : parse(key, text);
        });
      }),
    list: () =>
      available(async () => {
        const flags = Object.entries(await redis.hgetall(keys.flags)).map(([key, text]) => parse(key, text));
        return flags.toSorted((a, b) => (a.key < b.key ? -1 : 1));
      }),
    set: ({ key, expected, definition, by, reason }) =>
      available(async () => {
        const record = { ...definitionOf(definition), at: clock.now(), by, reason };
        const version = expected + 1;
        const result = resultList(
          await setFlag.run(redis, {
            keys: { flags: keys.flags },
            args: { key, expectedVersion: expected, newFlag: `${version} ${JSON.stringify(record)}`, maxFlags },
          }),
        );
        if (result[0] === "set") return { kind: "set", flag: { key, version, ...record } };
        if (result[0] === "full") return { kind: "full" };
        const present = String(result[1] ?? "");
        const flag = present === "" ? undefined : parse(key, present);
        return flag !== undefined && isSameDefinition(flag, definition) ? { kind: "set", flag } : { kind: "conflict", flag };
      }),
  };
}

function parse(key: string, text: string): Flag {
  const space = text.indexOf(" ");
  return { key, version: Number(text.slice(0, space)), ...stored.parse(JSON.parse(text.slice(space + 1))) };
}
