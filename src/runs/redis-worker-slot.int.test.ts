import { afterAll, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { type RedisServer, startRedisServer } from "../../test/servers/redis-server.ts";
import { createProcessView, type ProcessView } from "../platform/process-identity.ts";
import { connectRedis } from "../platform/redis/connection.ts";
import { slotLeaseMs, takeWorkerSlot } from "./redis-worker-slot.ts";

const real = createProcessView();
let server: RedisServer;
let redis: ReturnType<typeof connectRedis>;

beforeAll(async () => {
  server = await startRedisServer();
  redis = connectRedis({ socketPath: server.socketPath }, "worker");
});

afterAll(async () => {
  redis.disconnect();
  await server[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await redis.flushall();
});

/** A process with this pid; `living` are those of its PID namespace that live. */
function viewOf(pid: number, living: readonly number[], pidNamespace = "pid:[1]"): ProcessView {
  return {
    self: { ...real.self, pid, pidNamespace, startTime: `${pidNamespace} ${pid}` },
    startTimeOf: (other) => (living.includes(other) ? `${pidNamespace} ${other}` : undefined),
  };
}

const take = async (view: ProcessView, nonce: string) => takeWorkerSlot(redis, { host: "vm", view, nonce });

it("gives two processes of one PID namespace two names", async () => {
  expect((await take(viewOf(10, [10, 11]), "a")).name).toBe("vm/0");
  expect((await take(viewOf(11, [10, 11]), "b")).name).toBe("vm/1");
});

it("gives a process that starts again the name of its dead predecessor, and says that it is dead", async () => {
  await take(viewOf(10, [10]), "a");
  expect(await take(viewOf(11, [11]), "b")).toMatchObject({ name: "vm/0", isPredecessorDead: true });
});

it("gives two containers under one host name two names, also when both are process 1", async () => {
  expect(await take(viewOf(1, [1], "pid:[1]"), "a")).toMatchObject({ name: "vm/0", isPredecessorDead: false });
  expect(await take(viewOf(1, [1], "pid:[2]"), "b")).toMatchObject({ name: "vm/1", isPredecessorDead: false });
});

it("does not take a pid that was given again for its holder", async () => {
  await take(viewOf(10, [10]), "a");
  const again = { ...viewOf(10, [10]), startTimeOf: () => "later" };
  expect(await take({ ...again, self: { ...again.self, startTime: "later" } }, "b")).toMatchObject({
    name: "vm/0",
    isPredecessorDead: true,
  });
});

it("gives the name of a process that cannot be seen only after its lease", async () => {
  const held = await take(viewOf(1, [1], "pid:[1]"), "a");
  expect(await redis.pttl("{rb}:worker-slot:vm:0")).toBeGreaterThan(slotLeaseMs - 5000);
  await redis.pexpire("{rb}:worker-slot:vm:0", 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await take(viewOf(1, [1], "pid:[2]"), "b")).toMatchObject({ name: "vm/0", isPredecessorDead: false });
  expect(await held.renew()).toBe(false);
  await held.free();
  expect(JSON.parse((await redis.get("{rb}:worker-slot:vm:0")) ?? "")).toMatchObject({ nonce: "b" });
});

it("renews a lease, also after Redis has lost it, and frees the name at an orderly end", async () => {
  const held = await take(viewOf(10, [10]), "a");
  await redis.pexpire("{rb}:worker-slot:vm:0", 5000);
  expect(await held.renew()).toBe(true);
  expect(await redis.pttl("{rb}:worker-slot:vm:0")).toBeGreaterThan(slotLeaseMs - 5000);
  await redis.flushall();
  expect(await held.renew()).toBe(true);
  await held.free();
  expect(await redis.dbsize()).toBe(0);
});

it("lets one of many successors have the name of a dead process", async () => {
  await take(viewOf(9, [9]), "dead");
  const pids = Array.from({ length: 10 }, (_, index) => 20 + index);
  const taken = await Promise.all(pids.map(async (pid) => take(viewOf(pid, pids), `n${pid}`)));
  expect(new Set(taken.map(({ name }) => name)).size).toBe(10);
  expect(taken.filter(({ isPredecessorDead }) => isPredecessorDead).map(({ name }) => name)).toEqual(["vm/0"]);
});
