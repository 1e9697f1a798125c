import { expect, it } from "@jest/globals";
import { judgeRedis, judgeReplicas, parseInfo } from "./judge-redis.ts";

const good =
  "# Server\r\nredis_version:7.4.6\r\n# Replication\r\nrole:master\r\naof_enabled:1\r\naof_last_write_status:ok\r\nmaxmemory_policy:noeviction\r\nused_memory:1048576\r\nmaxmemory:0\r\n";
const config = new Map([
  ["maxmemory-policy", "noeviction"],
  ["appendfsync", "always"],
]);

function verdicts(info: string, settings: ReadonlyMap<string, string> = config) {
  const findings = judgeRedis({ info: parseInfo(info), config: settings });
  return Object.fromEntries(findings.filter((one) => one.verdict !== "ok").map((one) => [one.name, one.verdict]));
}

it("finds nothing wrong with the settings of our own redis-server", () => {
  expect(verdicts(good)).toEqual({});
});

it.each([
  ["role:master", "role:slave", { "Redis role": "fault" }],
  ["aof_enabled:1", "aof_enabled:0", { "Redis AOF": "fault" }],
  ["aof_last_write_status:ok", "aof_last_write_status:err", { "Redis AOF": "fault" }],
  ["redis_version:7.4.6", "redis_version:6.0.16", { "Redis version": "fault" }],
  ["redis_version:7.4.6", "redis_version:7.0.15", { "Redis version": "warning" }],
  ["redis_version:7.4.6", "redis_version:7.4.5", { "Redis version": "warning" }],
  ["redis_version:7.4.6", "redis_version:8.4.0", {}],
  ["redis_version:7.4.6", "redis_version:7.2.4\r\nvalkey_version:8.1.1", {}],
  ["maxmemory:0", "maxmemory:1200000", { "Redis memory": "warning" }],
])("judges %s instead as %s", (from, to, expected) => {
  expect(verdicts(good.replace(from, to))).toEqual(expected);
});

it.each([
  ["maxmemory-policy", "allkeys-lru", { "Redis maxmemory-policy": "fault" }],
  ["appendfsync", "everysec", { "Redis appendfsync": "warning" }],
  ["appendfsync", "no", { "Redis appendfsync": "fault" }],
])("judges %s %s", (name, value, expected) => {
  expect(verdicts(good, new Map([...config, [name, value]]))).toEqual(expected);
});

it("does not call good what it cannot see", () => {
  expect(verdicts(good, new Map())).toEqual({ "Redis appendfsync": "fault" });
  expect(Object.keys(verdicts("", new Map()))).toEqual([
    "Redis version",
    "Redis role",
    "Redis maxmemory-policy",
    "Redis AOF",
    "Redis appendfsync",
  ]);
});

it("says what to do about everything that is not ok", () => {
  const findings = judgeRedis({ info: new Map(), config: new Map() });
  expect(findings.filter((one) => one.verdict !== "ok" && (one.fix ?? "") === "")).toEqual([]);
});

it.each([
  ["", 0, "ok"],
  ["connected_slaves:1", 0, "warning"],
  ["connected_slaves:1", 1, "ok"],
  ["connected_slaves:2", 1, "warning"],
  ["connected_slaves:0", 1, "fault"],
])("judges replicas by INFO %j with %i wanted as %s", (info, wanted, verdict) => {
  expect(judgeReplicas({ info: parseInfo(info), config }, wanted)).toMatchObject({ name: "Redis replicas", verdict });
});
