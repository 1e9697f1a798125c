import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { AbstractConnector, type Redis } from "ioredis";
import { createSystemClock } from "../src/core/clock.ts";
import { parseRedisUrl } from "../src/platform/config/redis-url.ts";
import { connectRedis, type RedisAddress, untilReady } from "../src/platform/redis/connection.ts";
import { createReplication } from "../src/platform/redis/replication.ts";
import { type SentinelSetup, startSentinels } from "./servers/redis-sentinel.ts";

let setup: SentinelSetup;
let address: RedisAddress;

beforeEach(async () => {
  setup = await startSentinels();
  const place = parseRedisUrl(setup.url);
  if (place?.kind !== "sentinel") throw new Error("no sentinel address");
  address = place;
}, 30_000);

afterEach(async () => {
  await setup[Symbol.asyncDispose]();
});

it.each(["request", "worker"] as const)(
  "leads a %s connection to the new primary when the old one is killed, with all that had been confirmed",
  async (purpose) => {
    const redis = connectRedis(address, purpose);
    await untilReady(redis, createSystemClock());
    const replication = createReplication(redis, 1);
    const life = replication.begin();
    await redis.set("{rb}:x", "kept");
    expect(await replication.confirm(life)).toBe(true);
    await setup.primary.kill();
    let kept: string | null = null;
    for (let tries = 0; tries < 200 && kept === null; tries += 1) {
      kept = await redis
        .set("{rb}:y", "written")
        .then(async () => redis.get("{rb}:x"))
        .catch(() => null);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(kept).toBe("kept");
    expect(await setup.currentPort()).toBe(setup.replica.port);
    // What was begun before the failover proves nothing after it.
    expect(await replication.confirm(life)).toBe(false);
    redis.disconnect();
  },
  40_000,
);

function duplicateOf(redis: Redis): Redis {
  const duplicate = redis.duplicate();
  duplicate.on("error", () => undefined);
  redis.disconnect();
  return duplicate;
}

it.each([
  ["a connection", () => connectRedis(address, "worker")],
  ["its duplicate", () => duplicateOf(connectRedis(address, "worker"))],
])(
  "%s connects again when it hears of a failover while it is connecting, and not once it was closed",
  async (_name, open) => {
    const redis = open();
    // What ioredis itself does with the sentinels' message; it has no public name.
    const connector: unknown = Reflect.get(redis, "connector");
    if (!(connector instanceof AbstractConnector)) throw new Error("The client has no connector.");
    const statuses: string[] = [];
    for (const status of ["connecting", "end", "ready"]) redis.on(status, () => statuses.push(status));
    connector.disconnect();
    await untilReady(redis, createSystemClock());
    expect(statuses).toEqual(["connecting", "end", "connecting", "ready"]);
    expect(await redis.ping()).toBe("PONG");
    redis.disconnect();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([redis.status, statuses.filter((status) => status === "connecting").length]).toEqual(["end", 2]);
  },
  40_000,
);
