import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { parseRedisUrl, passwordOfRedisUrl } from "./redis-url.ts";

describe("REDIS_URL", () => {
  it.each([
    ["redis://localhost:6379", { kind: "url", url: "redis://localhost:6379" }],
    ["rediss://u:p@redis.example:6380/2", { kind: "url", url: "rediss://u:p@redis.example:6380/2" }],
    ["unix:///run/redis.sock", { kind: "socket", path: "/run/redis.sock" }],
    [
      "redis+sentinel://a:26379,b,[::1]:26380/runbookd/3",
      {
        kind: "sentinel",
        sentinels: [
          { host: "a", port: 26_379 },
          { host: "b", port: 26_379 },
          { host: "::1", port: 26_380 },
        ],
        master: "runbookd",
        db: 3,
        tls: false,
        login: {},
      },
    ],
    [
      "rediss+cluster://:p%40ss@10.0.0.1:7000,10.0.0.2:7001",
      {
        kind: "cluster",
        nodes: [
          { host: "10.0.0.1", port: 7000 },
          { host: "10.0.0.2", port: 7001 },
        ],
        tls: true,
        login: { password: "p@ss" },
      },
    ],
    [
      "redis+cluster://ann:x@a/",
      { kind: "cluster", nodes: [{ host: "a", port: 6379 }], tls: false, login: { username: "ann", password: "x" } },
    ],
  ])("%s is read", (text, place) => {
    expect(parseRedisUrl(text)).toEqual(place);
  });

  it.each([
    "localhost:6379",
    "http://redis",
    "redis://",
    "redis+sentinel://a:26379",
    "redis+sentinel://a:26379/",
    "redis+sentinel://a:99999/m",
    "redis+sentinel://a:x/m",
    "redis+sentinel://a,/m",
    "redis+sentinel:///m",
    "redis+sentinel://a/m/x",
    "redis+sentinel://a/m/1/2",
    "redis+cluster://a:7000/1",
    "redis+cluster://",
    "redis+cluster://a b",
    "redis+cluster://%ff:%ff@a",
    "redis+proxy://a",
  ])("%s is refused", (text) => {
    expect(parseRedisUrl(text)).toBeUndefined();
  });

  it("never throws, and knows the password of whatever it reads", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...":/@,+.%rediscluntpx[]019".split("")) }), (text) => {
        expect([undefined, "url", "socket", "sentinel", "cluster"]).toContain(parseRedisUrl(text)?.kind);
        expect(Array.isArray(passwordOfRedisUrl(text))).toBe(true);
      }),
    );
  });

  it("gives its password up for redaction, as written and decoded", () => {
    expect(passwordOfRedisUrl("redis://:p%40ss@redis:6379")).toEqual(["p%40ss", "p@ss"]);
    expect(passwordOfRedisUrl("redis+sentinel://u:secret@a,b/m")).toEqual(["secret"]);
    expect(passwordOfRedisUrl("redis+cluster://u@a")).toEqual([]);
    expect(passwordOfRedisUrl("unix:///x")).toEqual([]);
  });
});
