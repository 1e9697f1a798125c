import { randomUUID } from "node:crypto";
import { expect, it } from "@jest/globals";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import { putOpenRuns } from "../../test/builders/put-open-runs.ts";
import { holdRedis } from "../../test/servers/hold-redis.ts";
import { createSystemClock } from "../core/clock.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { createRunReader } from "./redis-run-reader.ts";
import { createRunJournal, type RedisRunJournal } from "./redis-store.ts";
import type { ClaimedRun } from "./store.ts";

const held = holdRedis();
const clock = createSystemClock();

const journalOf = (worker: string) => createRunJournal(held.redis, { worker, leaseMs: 6000, nonce: randomUUID, clock });

async function claimed(journal: RedisRunJournal): Promise<ClaimedRun> {
  const run = await journal.claim("run_0");
  if ("refused" in run) throw new Error(run.refused);
  return run;
}

it("lists the step in hand of a run whose summary is only written when it rests, also after another worker took it over", async () => {
  await putOpenRuns(held.redis, { from: 0, to: 1, runbookId: "a", dueAt: 1000, state: "queued" });
  const listed = async () => (await createRunReader(held.redis, clock).list({}, { limit: 5 }))?.items[0];
  const written = async () => held.redis.hget(runKeys.run("run_0"), "summary");
  const before = await written();
  const append = async (journal: RedisRunJournal, run: ClaimedRun, summary: Partial<RunSummary>, isLast = false) =>
    journal.append(run.lease, {
      head: run.head,
      entries: [{ at: 2, kind: "claimed", worker: "w", epoch: run.lease.epoch }],
      state: isLast ? "suspended" : "running",
      summary,
      claims: [],
      recordedNotices: { stop: false, resolved: false },
      ...(isLast && { release: {} }),
    });

  const [first, second] = [journalOf("a"), journalOf("b")];
  expect(await append(first, await claimed(first), { step: "Close the gate" })).toHaveProperty("kind", "ok");
  expect(await written()).toBe(before);
  expect(await listed()).toMatchObject({ state: "running", step: "Close the gate", runbookId: "a" });

  await held.redis.hset(runKeys.run("run_0"), { leaseUntil: 1 });
  expect(await append(second, await claimed(second), { note: "waits" }, true)).toHaveProperty("kind", "ok");
  expect(await listed()).toMatchObject({ state: "suspended", step: "Close the gate", note: "waits" });
  expect(JSON.parse((await written()) ?? "")).toMatchObject({ state: "suspended", step: "Close the gate", note: "waits" });
});
