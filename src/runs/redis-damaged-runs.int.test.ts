import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, it } from "@jest/globals";
import { holdRedis } from "../../test/servers/hold-redis.ts";
import { createAcceptStore, createRunbookBytes } from "../alerts/redis-store.ts";
import { createSystemClock } from "../core/clock.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { createDamagedRuns } from "./redis-damaged-runs.ts";
import { createRunReader, readRunState } from "./redis-run-reader.ts";
import { createRunJournal } from "./redis-store.ts";

const clock = createSystemClock();
const held = holdRedis();

afterEach(async () => {
  await held.redis.flushall();
});

/** A run that waits for its first worker and holds its target. */
async function accepted(id: string): Promise<void> {
  const bytes = createRunbookBytes(held.redis);
  await bytes.put("sha", "# Runbook: Contract\n");
  const request = { runbookId: "cost", runbookSha: "sha", mode: "auto", target: "budget/a", params: {}, source: "webhook" } as const;
  const episode = { runbookId: "cost", fingerprint: id, startsAt: 1, latestStartsAt: 1, lastSeenAt: 1, count: 1, recentStarts: [1] };
  const summary = { id, ...request, state: "queued", acceptedAt: clock.now() } as const;
  const run = {
    id,
    summary,
    accepted: { at: clock.now(), kind: "accepted", runId: id, request },
    openKey: id,
    claims: [{ lock: `target ${id}` }],
  } as const;
  const store = createAcceptStore(held.redis, { now: () => clock.now(), bytes });
  const [reply] = await store.accept([{ runbookId: "cost", fingerprint: id, expectedVersion: 0, episode, run }]);
  expect(reply?.kind).toBe("created");
}

const openLedger = () => createRunJournal(held.redis, { worker: "w", leaseMs: 5000, nonce: randomUUID, clock });

describe.each([
  ["a journal entry that is no JSON", async () => held.redis.lset(runKeys.journal("run_bad"), 0, '{"at":')],
  [
    "a journal that does not begin with its acceptance",
    async () => held.redis.lset(runKeys.journal("run_bad"), 0, '{"at":1,"kind":"resolved"}'),
  ],
  ["a summary that is none", async () => held.redis.hset(runKeys.run("run_bad"), "summary", "7")],
])("%s", (_name, damage) => {
  it("takes the run out of all hands, keeps its target locked, and the other runs go on (B71)", async () => {
    await accepted("run_bad");
    await accepted("run_good");
    await damage();
    const ledger = openLedger();
    expect(await ledger.claim("run_bad")).toEqual({ refused: "damaged" });
    expect(await ledger.claim("run_bad")).toEqual({ refused: "damaged" });
    expect(await ledger.due(10)).toEqual(["run_good"]);
    expect(await ledger.claim("run_good")).toHaveProperty("lease");
    expect(await held.redis.get(runKeys.claim({ lock: "target run_bad" }))).toBe("run_bad");
    expect(await createDamagedRuns(held.redis).count()).toBe(1);
    // Counting the others must not stumble over it.
    expect((await ledger.openRuns()).get("cost")).toBeGreaterThanOrEqual(1);
  });

  it("is shown as damaged, and hides no other run", async () => {
    await accepted("run_good");
    await accepted("run_bad");
    await damage();
    await openLedger().claim("run_bad");
    const reader = createRunReader(held.redis, clock);
    const page = await reader.list({}, { limit: 10 });
    expect(page?.items.map(({ id, state }) => [id, state]).sort()).toEqual([
      ["run_bad", "damaged"],
      ["run_good", "queued"],
    ]);
    expect((await reader.get("run_bad"))?.summary.state).toBe("damaged");
    const states = await Promise.all(["run_bad", "run_good", "run_none"].map((id) => readRunState(held.redis, id)));
    expect(states).toEqual(["damaged", "queued", undefined]);
  });

  it("is given up by a person: its target is free, and what is left of it can still be read", async () => {
    await accepted("run_bad");
    await damage();
    const damaged = createDamagedRuns(held.redis);
    expect(await damaged.giveUp("run_bad", "ann", "looked")).toBe(false);
    await openLedger().claim("run_bad");
    expect(await damaged.giveUp("run_bad", "ann", "the gate is open")).toBe(true);
    expect(await damaged.giveUp("run_bad", "ann", "again")).toBe(false);
    expect(await held.redis.get(runKeys.claim({ lock: "target run_bad" }))).toBeNull();
    expect(await damaged.count()).toBe(0);
    expect(await openLedger().claim("run_bad")).toEqual({ refused: "ended" });
    const summary = (await createRunReader(held.redis, clock).get("run_bad"))?.summary;
    expect(summary).toMatchObject({ state: "ended", outcome: "failed", note: "Its record was damaged. Given up by ann: the gate is open" });
  });
});
