import { expect, it } from "@jest/globals";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryRunLedger } from "../../rehearsal/memory-run-ledger.ts";
import { holdRun } from "./run-hold.ts";

const leaseMs = 6000;

async function aClaimedRun() {
  const clock = createFakeClock();
  const ledger = createMemoryRunLedger(clock, leaseMs);
  ledger.create("run_1", { runbookId: "test", runbookSha: "x", mode: "auto", params: {}, source: "manual" });
  const claimed = await ledger.claim("run_1");
  if ("refused" in claimed) throw new Error(claimed.refused);
  return { clock, ledger, hold: holdRun(claimed, { ledger, clock }) };
}

it("keeps its lease alive for as long as it is held, and no longer", async () => {
  const { clock, ledger, hold } = await aClaimedRun();
  for (let beat = 0; beat < 5; beat += 1) {
    await clock.advance(leaseMs);
    expect(await ledger.asWorker().claim("run_1")).toEqual({ refused: "held" });
  }
  expect(hold.lostSignal.aborted).toBe(false);
  hold.close();
  await clock.advance(leaseMs + 1);
  expect(await ledger.asWorker().claim("run_1")).toMatchObject({ stalls: 2 });
});

it("is lost when a renewal finds another holder", async () => {
  const { clock, ledger, hold } = await aClaimedRun();
  ledger.expireLease("run_1");
  await ledger.asWorker().claim("run_1");
  await clock.advance(leaseMs / 2);
  expect(hold.lostSignal.aborted).toBe(true);
  await expect(hold.flush()).rejects.toThrow("The lease on run_1 is lost.");
  hold.close();
});

it("is lost when it could not be renewed for as long as the lease lasts", async () => {
  const { clock, ledger, hold } = await aClaimedRun();
  Object.assign(ledger, { renew: async () => Promise.reject(new Error("Redis is away")) });
  await clock.advance(leaseMs);
  expect(hold.lostSignal.aborted).toBe(false);
  await clock.advance(leaseMs / 6);
  expect(hold.lostSignal.aborted).toBe(true);
  hold.close();
});
