import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { createAskingRun } from "../../test/builders/an-asking-run.ts";
import { type RedisServer, startRedisServer } from "../../test/servers/redis-server.ts";
import { until } from "../../test/servers/until.ts";
import { createSystemClock } from "../core/clock.ts";
import { connectRedis } from "../platform/redis/connection.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { type Feed, isBehind, type PlacedEvent } from "./feed.ts";
import { createFeed } from "./redis-feed.ts";
import { createRunNotices } from "./redis-run-notices.ts";

let server: RedisServer;
const ending = new AbortController();
const connections: Redis[] = [];
const connect = () => {
  const redis = connectRedis(server, "request");
  connections.push(redis);
  return redis;
};

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(async () => {
  ending.abort();
  for (const redis of connections) redis.disconnect();
  await server[Symbol.asyncDispose]();
});

async function aFeed(): Promise<Feed> {
  const [waiting, redis] = [connect(), connect()];
  await until("the connections are ready", async () => [waiting, redis].every(({ status }) => status === "ready"));
  return createFeed({ waiting, redis, clock: createSystemClock(), ending: ending.signal });
}

/** Follows a feed until the test leaves its block. */
async function aFollower(feed: Feed, after?: string) {
  const leave = new AbortController();
  const events: PlacedEvent[] = [];
  const stream = await feed.follow(after, leave.signal);
  const whole = (async () => {
    for await (const event of stream) events.push(event);
  })();
  await until("it follows", async () => events.some(({ event }) => event === "ready" || event === "reset"));
  const runs = () => events.flatMap((event) => (event.event === "run" ? [event.data.id] : []));
  return {
    events,
    runs,
    async [Symbol.asyncDispose]() {
      leave.abort();
      await whole;
    },
  };
}

async function publish(redis: Redis, id: string): Promise<string> {
  return String(await redis.xadd(runKeys.feed, "*", "kind", "run", "id", id));
}

describe("the feed", () => {
  it("says of each run that it was accepted, worked on, asked, and stopped by a person", async () => {
    const redis = connect();
    await using follower = await aFollower(await aFeed());
    const { runId } = await createAskingRun(redis);
    await until("the run was mentioned", async () => follower.runs().includes(runId));
    const before = follower.runs().length;
    await createRunNotices(redis).stop(runId, "ann", "enough");
    await until("the stop was mentioned", async () => follower.runs().length > before);
    expect(new Set(follower.runs())).toEqual(new Set([runId]));
  });

  it("reads Redis once however many follow it, and not at all when none does", async () => {
    const redis = connect();
    const feed = await aFeed();
    const reads = async () => Number(/cmdstat_xread:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1] ?? 0);
    {
      const followers = await Promise.all(Array.from({ length: 200 }, () => aFollower(feed)));
      await redis.config("RESETSTAT");
      for (const id of ["one", "two", "three"]) await publish(redis, id);
      await until("all have all", async () => followers.every((follower) => follower.runs().join() === "one,two,three"));
      // Three hints are at most three answers and one read under way.
      expect(await reads()).toBeLessThanOrEqual(8);
      for (const follower of followers) await follower[Symbol.asyncDispose]();
    }
    await until("the last read has ended", async () => !String(await redis.client("LIST")).includes("cmd=xread flags=b"));
    await redis.config("RESETSTAT");
    await publish(redis, "unheard");
    expect(await reads()).toBe(0);
  });

  it("resumes on another server behind the last event, without a gap and without one twice", async () => {
    const redis = connect();
    const [first, second] = [await aFeed(), await aFeed()];
    const got: string[] = [];
    let last = "";
    {
      await using follower = await aFollower(first);
      for (const id of ["a", "b"]) await publish(redis, id);
      await until("both came", async () => follower.runs().length === 2);
      got.push(...follower.runs());
      last = follower.events.at(-1)?.id ?? "";
    }
    for (const id of ["c", "d"]) await publish(redis, id);
    await using resumed = await aFollower(second, last);
    await publish(redis, "e");
    await until("the newest came", async () => resumed.runs().includes("e"));
    expect([...got, ...resumed.runs()]).toEqual(["a", "b", "c", "d", "e"]);
    expect(resumed.events.map(({ event }) => event)).toEqual(["run", "run", "ready", "run"]);
  });

  it.each([
    ["older than what is kept", async () => "1-0"],
    ["of another store", async () => "99999999999999-0"],
    [
      "before more than are read again",
      async (redis: Redis) => {
        const place = await publish(redis, "x");
        const many = redis.pipeline();
        for (let index = 0; index < 2001; index += 1) many.xadd(runKeys.feed, "*", "kind", "run", "id", `m${index}`);
        await many.exec();
        return place;
      },
    ],
  ])("has everything read anew by one who resumes from a place %s", async (_what, placeOf) => {
    const redis = connect();
    await until("connected", async () => redis.status === "ready");
    const place = await placeOf(redis);
    await using follower = await aFollower(await aFeed(), place);
    expect(follower.events.map(({ event }) => event)).toEqual(["reset"]);
    await publish(redis, "next");
    await until("it follows on", async () => follower.runs().includes("next"));
  });

  it("drops a follower that takes nothing, which resumes and misses nothing", async () => {
    const redis = connect();
    const feed = await aFeed();
    const leave = new AbortController();
    const slow = (await feed.follow(undefined, leave.signal))[Symbol.asyncIterator]();
    const ready = await slow.next();
    const place: string = ready.value?.id ?? "";
    await using quick = await aFollower(feed);
    const ids = Array.from({ length: 600 }, (_, index) => `n${index}`);
    for (const id of ids) await publish(redis, id);
    await until("the quick one has all", async () => quick.runs().length === ids.length);
    expect(await slow.next()).toMatchObject({ done: true });
    await using resumed = await aFollower(feed, place);
    expect(resumed.runs()).toEqual(ids);
  });

  it("holds one hint about a run that changes often", async () => {
    const redis = connect();
    const feed = await aFeed();
    const slow = (await feed.follow(undefined, ending.signal))[Symbol.asyncIterator]();
    await slow.next();
    await using quick = await aFollower(feed);
    for (let index = 0; index < 700; index += 1) await publish(redis, "busy");
    const last = await publish(redis, "end");
    await until("the quick one has the end", async () => quick.runs().includes("end"));
    const [busy, end] = [await slow.next(), await slow.next()];
    expect(busy.value).toMatchObject({ data: { id: "busy" } });
    expect(end.value).toMatchObject({ id: last, data: { id: "end" } });
  });

  it("says that Redis is away, and afterwards what happened in between", async () => {
    const redis = connect();
    await using follower = await aFollower(await aFeed());
    await publish(redis, "before");
    await until("it came", async () => follower.runs().includes("before"));
    await server.stop();
    await until("it says so", async () => follower.events.at(-1)?.event === "away");
    await server.restart();
    const other = connect();
    await until("connected", async () => other.status === "ready");
    await publish(other, "between");
    await until("it came", async () => follower.runs().includes("between"));
    await until("it says that Redis is back", async () => follower.events.some(({ event }, at) => event === "ready" && at > 0));
    expect(follower.runs().filter((id) => id === "between")).toHaveLength(1);
  });
});

describe("a place", () => {
  it.each([
    ["10-0", "9-5", true],
    ["9-10", "9-9", true],
    ["9-9", "9-9", false],
    ["9-1", "10-0", false],
  ])("%s is behind %s: %s", (place, other, expected) => {
    expect(isBehind(place, other)).toBe(expected);
  });
});
