import { expect, it } from "@jest/globals";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import { holdRedis } from "../../test/servers/hold-redis.ts";
import { createSystemClock } from "../core/clock.ts";
import { watchdogRunbook } from "../core/run.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { createRunIndexes } from "./redis-run-indexes.ts";
import { createRunReader } from "./redis-run-reader.ts";
import { createWatchdogRecord } from "./redis-watchdog.ts";

const held = holdRedis();

it("remembers when the watchdog last came through, and never goes back", async () => {
  const record = createWatchdogRecord(held.redis);
  expect(await record.lastPassedAt()).toBeUndefined();
  await record.passed(1_000);
  await record.passed(121_000);
  await record.passed(61_000);
  expect(await record.lastPassedAt()).toBe(121_000);
});

it("lists watchdog runs only when they are asked for", async () => {
  const summary = (id: string, runbookId: string): RunSummary => ({
    id,
    runbookId,
    runbookSha: "0",
    mode: "auto",
    state: "ended",
    source: "webhook",
    acceptedAt: 1,
  });
  for (const [index, run] of [summary("run_1", watchdogRunbook), summary("run_2", "cost-incident-response")].entries()) {
    await held.redis.hset(runKeys.run(run.id), { summary: JSON.stringify(run), state: run.state });
    await held.redis.zadd(runKeys.runs, index, run.id);
  }
  await createRunIndexes(held.redis).rebuild();
  const reader = createRunReader(held.redis, createSystemClock());
  const listed = async (filter: Parameters<typeof reader.list>[0]) => (await reader.list(filter, { limit: 10 }))?.items.map(({ id }) => id);
  expect(await listed({})).toEqual(["run_2"]);
  expect(await listed({ runbookId: watchdogRunbook })).toEqual(["run_1"]);
});
