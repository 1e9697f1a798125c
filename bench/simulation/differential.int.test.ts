import { expect, it } from "@jest/globals";
import { holdRedis } from "../../test/servers/hold-redis.ts";
import { compareWorlds } from "./compare-worlds.ts";

const held = holdRedis();

it("does with the scripts in Redis, call by call, what the journal in memory does in 40 worlds", async () => {
  const { worlds, calls, scripts, differences } = await compareWorlds(held.redis, { from: 3_000_000, count: 40 });
  expect(differences).toEqual([]);
  expect(worlds).toBe(40);
  expect(calls).toBeGreaterThan(1000);
  // claim, renew, append, notice, accept, answer
  expect(scripts).toBe(6);
});
