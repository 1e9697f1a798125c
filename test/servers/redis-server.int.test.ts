import { existsSync } from "node:fs";
import { expect, it } from "@jest/globals";
import { connectRedis } from "../../src/platform/redis/connection.ts";
import { startRedisServer } from "./redis-server.ts";

it("keeps what was written over a SIGKILL, on the same socket and port", async () => {
  await using server = await startRedisServer();
  const before = connectRedis({ socketPath: server.socketPath }, "request");
  await new Promise((resolve) => before.once("ready", resolve));
  await before.set("k", "v");
  before.disconnect();
  await server.kill();
  await server.restart();
  const after = connectRedis({ url: server.url }, "worker");
  expect(await after.get("k")).toBe("v");
  expect(await after.config("GET", "appendfsync")).toEqual(["appendfsync", "always"]);
  expect(await after.config("GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
  after.disconnect();
});

it("is silent while paused and answers again afterwards", async () => {
  await using server = await startRedisServer();
  const redis = connectRedis({ url: server.url }, "request");
  await new Promise((resolve) => redis.once("ready", resolve));
  server.pause();
  await expect(redis.get("k")).rejects.toThrow("Command timed out");
  server.resume();
  expect(await redis.get("k")).toBeNull();
  redis.disconnect();
});

it("leaves neither process nor folder behind", async () => {
  let folder = "";
  {
    await using server = await startRedisServer();
    folder = server.folder;
    expect(existsSync(folder)).toBe(true);
  }
  expect(existsSync(folder)).toBe(false);
});
