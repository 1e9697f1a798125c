import { expect, it } from "@jest/globals";
import type { DurabilitySource } from "./judge-redis.ts";
import { judgeStore, type StoreFacts, unfitReason } from "./judge-store.ts";
import { schemaVersion } from "./schema-version.ts";

const good = {
  redis_version: "7.4.6",
  role: "master",
  aof_enabled: "1",
  aof_last_write_status: "ok",
  maxmemory_policy: "noeviction",
  used_memory: "10",
  maxmemory: "0",
};
const visible = { "maxmemory-policy": "noeviction", appendfsync: "always" };

function factsOf(
  info: object = {},
  config: Readonly<Record<string, string>> = visible,
  schema: number | undefined = schemaVersion,
): StoreFacts {
  return { info: new Map(Object.entries({ ...good, ...info })), config: new Map(Object.entries(config)), schema };
}

function judged(facts: StoreFacts, durableBy?: DurabilitySource) {
  const judgement = judgeStore(facts, durableBy);
  return [
    judgement.kind,
    judgement.kind === "unfit" ? judgement.faults.map(({ name }) => name) : judgement.warnings.map(({ name }) => name),
  ];
}

it("is fit with the settings of our own redis-server, marked or empty", () => {
  expect(judged(factsOf())).toEqual(["fit", []]);
  expect(judged(factsOf({}, visible, undefined))).toEqual(["fit", []]);
});

it.each([
  ["eviction", factsOf({}, { ...visible, "maxmemory-policy": "allkeys-lru" }), "Redis maxmemory-policy"],
  ["no append-only file", factsOf({ aof_enabled: "0" }), "Redis AOF"],
  ["an append-only file that cannot be written", factsOf({ aof_last_write_status: "err" }), "Redis AOF"],
  ["no fsync", factsOf({}, { ...visible, appendfsync: "no" }), "Redis appendfsync"],
  ["a replica", factsOf({ role: "slave" }), "Redis role"],
  ["an old server", factsOf({ redis_version: "5.0.3" }), "Redis version"],
  ["data of another version", factsOf({}, visible, schemaVersion + 1), "Redis data"],
])("is unfit with %s", (_, facts, name) => {
  expect(judged(facts)).toEqual(["unfit", [name]]);
  expect(unfitReason(judgeStore(facts))).toContain(name);
});

it.each([
  ["nothing written", undefined, ["unfit", ["Redis appendfsync"]]],
  ["appendfsync-always", "appendfsync-always", ["fit", []]],
  ["appendfsync-everysec", "appendfsync-everysec", ["fit", ["Redis appendfsync"]]],
  ["provider", "provider", ["fit", ["Redis AOF", "Redis appendfsync"]]],
] as const)("decides by INFO and %s where CONFIG is refused", (_, durableBy, expected) => {
  expect(judged(factsOf({}, {}), durableBy)).toEqual(expected);
});

it("lets no written setting excuse what Redis says", () => {
  expect(judged(factsOf({}, { ...visible, appendfsync: "no" }), "provider")).toEqual(["unfit", ["Redis appendfsync"]]);
  expect(judged(factsOf({ aof_enabled: "0" }), "provider")).toEqual(["unfit", ["Redis AOF"]]);
  expect(judged(factsOf({ aof_enabled: "0" }, {}), "appendfsync-always")).toEqual(["unfit", ["Redis AOF"]]);
  expect(judged(factsOf({ maxmemory_policy: "volatile-lru" }, {}), "provider")).toEqual(["unfit", ["Redis maxmemory-policy"]]);
});

it("warns at 70 % of the memory and stays fit", () => {
  expect(judged(factsOf({ used_memory: "69", maxmemory: "100" }))).toEqual(["fit", []]);
  expect(judged(factsOf({ used_memory: "70", maxmemory: "100" }))).toEqual(["fit", ["Redis memory"]]);
});
