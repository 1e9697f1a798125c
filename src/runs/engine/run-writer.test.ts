import { expect, it } from "@jest/globals";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryRunJournal } from "../../rehearsal/memory-run-journal.ts";
import { createRunWriter } from "./run-writer.ts";

const leaseMs = 6000;

async function aClaimedRun() {
  const clock = createFakeClock();
  const ledger = createMemoryRunJournal(clock, leaseMs);
  ledger.create("run_1", { runbookId: "test", runbookSha: "x", mode: "auto", params: {}, source: "manual" });
  const claimed = await ledger.claim("run_1");
  if ("refused" in claimed) throw new Error(claimed.refused);
  return { clock, ledger, writer: createRunWriter(claimed, { journal: ledger, clock }) };
}

it("keeps its lease alive for as long as it is held, and no longer", async () => {
  const { clock, ledger, writer } = await aClaimedRun();
  for (let beat = 0; beat < 5; beat += 1) {
    await clock.advance(leaseMs);
    expect(await ledger.asWorker().claim("run_1")).toEqual({ refused: "leased" });
  }
  expect(writer.lostSignal.aborted).toBe(false);
  writer.close();
  await clock.advance(leaseMs + 1);
  expect(await ledger.asWorker().claim("run_1")).toMatchObject({ stalls: 2 });
});

it("is lost when a renewal finds another holder", async () => {
  const { clock, ledger, writer } = await aClaimedRun();
  ledger.expireLease("run_1");
  await ledger.asWorker().claim("run_1");
  await clock.advance(leaseMs / 2);
  expect(writer.lostSignal.aborted).toBe(true);
  await expect(writer.flush()).rejects.toThrow("The lease on run_1 is lost.");
  writer.close();
});

it("is lost when it could not be renewed for as long as the lease lasts", async () => {
  const { clock, ledger, writer } = await aClaimedRun();
  Object.assign(ledger, { renew: async () => Promise.reject(new Error("Redis is away")) });
  await clock.advance(leaseMs);
  expect(writer.lostSignal.aborted).toBe(false);
  await clock.advance(leaseMs / 6);
  expect(writer.lostSignal.aborted).toBe(true);
  writer.close();
});

it("records what others asked of the run when it receives its notices, once, and not when its view is read", async () => {
  const { clock, ledger, writer } = await aClaimedRun();
  ledger.notice("run_1", { stop: { by: "ann", reason: "wrong target" }, resolved: "it ended" });
  await clock.advance(leaseMs / 2);
  expect([writer.view.stop, writer.view.resolved]).toEqual([undefined, undefined]);
  expect(writer.hasUnwritten).toBe(false);
  writer.receiveNotices();
  writer.receiveNotices();
  expect(writer.view).toMatchObject({ stop: { by: "ann", reason: "wrong target" }, resolved: "it ended" });
  expect(writer.stopSignal.aborted).toBe(true);
  await writer.flush();
  expect(ledger.journal("run_1").map(({ kind }) => kind)).toEqual(["accepted", "resolved", "stop_requested"]);
  writer.close();
});
