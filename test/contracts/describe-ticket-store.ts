import { describe, expect, it } from "@jest/globals";
import { type NewTicketInput, newTicketSchema } from "../../packages/sdk/src/wire/tickets.ts";
import { lostReason, recoveryReason, type TicketRecovery, type TicketStore } from "../../src/llm/tickets/ticket.ts";
import type { FakeClock } from "../fakes/fake-clock.ts";

/** The specification of every store of tickets. `open` makes a fresh one. */
export function describeTicketStore(
  name: string,
  open: () => Promise<{ readonly store: TicketStore & TicketRecovery; readonly clock: FakeClock }>,
): void {
  const aTicket = (id: string, change: Partial<NewTicketInput> = {}) => newTicketSchema.parse({ id, budget: "checkout", ...change });

  const openIds = async (store: TicketStore) => (await store.open("default", { limit: 10 })).ids;

  describe(`${name} as a store of tickets`, () => {
    it("keeps a ticket as it was handed in, once per id", async () => {
      const { store, clock } = await open();
      expect(await store.add(aTicket("GH-1", { payload: { issue: 7 }, batchId: "b1", estimateMicroUsd: 9 }))).toBe(true);
      expect(await store.add(aTicket("GH-1", { payload: null }))).toBe(false);
      expect(await store.get("GH-1")).toEqual({
        id: "GH-1",
        budget: "checkout",
        queue: "default",
        batchId: "b1",
        kind: "ticket",
        payload: { issue: 7 },
        variant: "baseline",
        maxAttempts: 3,
        state: "queued",
        reason: "",
        attempt: 1,
        turn: 0,
        saved: null,
        stage: "",
        failures: [],
        estimateMicroUsd: 9,
        createdAt: clock.now(),
        updatedAt: clock.now(),
      });
      expect(await store.get("GH-2")).toBeUndefined();
    });

    it("says of each of many what became of it: a reference belongs to one ticket until that was not successful", async () => {
      const { store } = await open();
      const wanted = [aTicket("GH-1", { externalRef: "acme/shop#1", kind: "bug" }), aTicket("GH-2")];
      expect(await store.addAll(wanted)).toEqual([{ kind: "added" }, { kind: "added" }]);
      expect(await store.get("GH-1")).toMatchObject({ externalRef: "acme/shop#1", kind: "bug" });
      const again = [...wanted, aTicket("GH-2", { payload: 1 }), aTicket("GH-3", { externalRef: "acme/shop#1" })];
      expect(await store.addAll(again)).toEqual([{ kind: "known" }, { kind: "known" }, { kind: "differs" }, { kind: "taken", by: "GH-1" }]);
      expect(await store.holdersOf(["acme/shop#1", "acme/shop#2"])).toEqual([{ id: "GH-1", state: "queued" }, undefined]);
      await store.claim("GH-1", "a");
      await store.write("GH-1", "a", { state: "failed" });
      expect(await store.holdersOf(["acme/shop#1"])).toEqual([undefined]);
      expect(await store.add(aTicket("GH-3", { externalRef: "acme/shop#1" }))).toBe(true);
      await store.claim("GH-3", "a");
      await store.write("GH-3", "a", { state: "succeeded" });
      expect(await store.addAll([aTicket("GH-4", { externalRef: "https://github.com/Acme/Shop/issues/1" })])).toEqual([
        { kind: "taken", by: "GH-3" },
      ]);
    });

    it("cancels what nobody works on, for good, and nothing that runs", async () => {
      const { store } = await open();
      await store.addAll(["GH-1", "GH-2", "GH-3"].map((id) => aTicket(id)));
      await store.claim("GH-1", "a");
      await store.write("GH-1", "a", { state: "running" });
      await store.claim("GH-2", "a");
      expect(await Promise.all(["GH-1", "GH-2", "GH-3", "GH-4"].map((id) => store.cancel(id, "not needed")))).toEqual([
        false,
        true,
        true,
        false,
      ]);
      expect(await store.cancel("GH-3", "twice")).toBe(false);
      expect(await store.write("GH-2", "a", { state: "running" })).toBe(false);
      expect(await store.get("GH-3")).toMatchObject({ state: "cancelled", reason: "not needed" });
      expect(await openIds(store)).toEqual(["GH-1"]);
    });

    it("takes what the holder writes, and nothing of whoever lost the ticket", async () => {
      const { store } = await open();
      await store.add(aTicket("GH-1"));
      expect(await store.write("GH-1", "a", { turn: 1 })).toBe(false);
      await store.claim("GH-1", "a");
      expect(await store.write("GH-1", "a", { state: "running", turn: 1, saved: { step: "plan" } })).toBe(true);
      expect(await store.claim("GH-1", "b")).toMatchObject({ turn: 1, saved: { step: "plan" }, state: "running" });
      expect(await store.write("GH-1", "a", { turn: 9, state: "failed" })).toBe(false);
      expect(await store.get("GH-1")).toMatchObject({ turn: 1, state: "running" });
      expect(await store.claim("GH-2", "b")).toBeUndefined();
    });

    it("never leads out of an end", async () => {
      const { store } = await open();
      await store.add(aTicket("GH-1"));
      await store.claim("GH-1", "a");
      expect(await store.write("GH-1", "a", { state: "dead", reason: "attempts_exhausted" })).toBe(true);
      expect(await store.write("GH-1", "a", { state: "running" })).toBe(false);
      expect(await store.claim("GH-1", "b")).toMatchObject({ state: "dead" });
      expect(await store.write("GH-1", "b", { state: "queued" })).toBe(false);
      expect(await openIds(store)).toEqual([]);
    });

    it("tells which tickets show no sign of life: from their first stage on, until they run again or end", async () => {
      const { store, clock } = await open();
      for (const id of ["GH-1", "GH-2", "GH-3"]) {
        await store.add(aTicket(id, { queue: "slow" }));
        await store.claim(id, "a");
        await store.write(id, "a", { state: "running", ...(id === "GH-3" ? {} : { stage: "implement" }) });
        await clock.advance(1000);
      }
      const at = clock.now();
      expect(await store.standing(at, 10)).toEqual(["GH-1", "GH-2"].map((id) => ({ id, queue: "slow", stage: "implement" })));
      expect(await store.standing(at, 1)).toHaveLength(1);
      await store.write("GH-2", "a", { stage: "test" });
      await store.claim("GH-1", "b");
      expect((await store.standing(at, 10)).map(({ id }) => id)).toEqual(["GH-1"]);
      await store.write("GH-1", "b", { state: "waiting", reason: lostReason });
      await clock.advance(1000);
      expect((await store.standing(clock.now(), 10)).map(({ id }) => id)).toEqual(["GH-1", "GH-2"]);
      await store.write("GH-1", "b", { state: "queued", reason: "" });
      await store.write("GH-2", "a", { state: "succeeded" });
      expect(await store.standing(clock.now(), 10)).toEqual([]);
    });

    it("gives a ticket to a recovery, whoever has it, and keeps workers away from it", async () => {
      const { store } = await open();
      await store.add(aTicket("GH-1"));
      await store.claim("GH-1", "a");
      await store.write("GH-1", "a", { state: "running", stage: "implement" });
      expect(await store.recover("GH-1", "recovery:1")).toMatchObject({ state: "waiting", reason: recoveryReason, stage: "implement" });
      expect(await store.write("GH-1", "a", { turn: 9 })).toBe(false);
      expect(await store.claim("GH-1", "b")).toMatchObject({ state: "waiting", reason: recoveryReason });
      expect(await store.write("GH-1", "b", { state: "running" })).toBe(false);
      expect(await store.recover("GH-1", "recovery:1")).toMatchObject({ reason: recoveryReason });
      const failures = Array.from({ length: 25 }, (_, index) => `class_${index}`);
      expect(await store.write("GH-1", "recovery:1", { state: "queued", reason: "", failures: failures.slice(-20) })).toBe(true);
      expect(await store.claim("GH-1", "b")).toMatchObject({ state: "queued", failures: failures.slice(-20) });
      expect(await store.write("GH-1", "b", { state: "running" })).toBe(true);
      expect(await store.recover("GH-2", "recovery:1")).toBeUndefined();
    });

    it("opens a dead ticket again for a recovery, and nothing else that has ended", async () => {
      const { store, clock } = await open();
      await store.add(aTicket("GH-1", { externalRef: "acme/shop#1" }));
      await store.claim("GH-1", "a");
      await store.write("GH-1", "a", { state: "dead", reason: "attempts_exhausted" });
      expect(await store.recover("GH-1", "recovery:1")).toMatchObject({ state: "waiting", reason: recoveryReason });
      expect(await openIds(store)).toEqual(["GH-1"]);
      expect(await store.holdersOf(["acme/shop#1"])).toEqual([{ id: "GH-1", state: "waiting" }]);
      expect((await store.counts())["default"]).toMatchObject({ waiting: 1, dead: 0 });
      await clock.advance(1000);
      expect((await store.standing(clock.now(), 10)).map(({ id }) => id)).toEqual(["GH-1"]);
      for (const state of ["quarantined", "succeeded"] as const) {
        const id = `GH-${state}`;
        await store.add(aTicket(id));
        await store.claim(id, "a");
        expect(await store.write(id, "a", { state })).toBe(true);
        expect(await store.recover(id, "recovery:1")).toBeUndefined();
        expect(await store.write(id, "a", { state: "running" })).toBe(false);
      }
      await store.write("GH-1", "recovery:1", { state: "dead", reason: "tool_error" });
      await store.add(aTicket("GH-2", { externalRef: "acme/shop#1" }));
      expect(await store.recover("GH-1", "recovery:2")).toBeUndefined();
    });

    it("pages through the open tickets of a queue by time, so that an end skips none, and answers all of one millisecond together", async () => {
      const { store, clock } = await open();
      for (let at = 0; at < 4; at += 1) {
        for (const letter of ["a", "b", "c"]) await store.add(aTicket(`${at}${letter}`));
        await store.add(aTicket(`other ${at}`.replace(" ", "-"), { queue: "slow" }));
        await clock.advance(1);
      }
      const first = await store.open("default", { limit: 2 });
      expect(first.ids).toEqual(["0a", "0b", "0c"]);
      for (const id of ["0a", "0b", "1a"]) await store.cancel(id, "not needed");
      const { next } = first;
      if (next === undefined) throw new Error("there is more");
      const second = await store.open("default", { after: next, limit: 4 });
      expect(second.ids).toEqual(["1b", "1c", "2a", "2b", "2c"]);
      expect(await store.open("default", { after: second.next ?? 0, limit: 4 })).toEqual({ ids: ["3a", "3b", "3c"] });
      expect(await store.stillOpen("default", ["0a", "1b", "none"])).toEqual(["1b"]);
    });

    it("remembers which tickets were released and are in no queue yet", async () => {
      const { store, clock } = await open();
      const released = clock.now();
      await store.addAll([aTicket("GH-1"), aTicket("GH-2"), aTicket("GH-3", { queue: "slow" })]);
      await clock.advance(10);
      await store.add(aTicket("GH-4"));
      expect(await store.unqueued("default", released, 10)).toEqual(["GH-1", "GH-2"]);
      expect(await store.unqueued("default", released, 1)).toEqual(["GH-1"]);
      await store.markQueued("default", ["GH-1"]);
      expect(await store.unqueued("default", clock.now(), 10)).toEqual(["GH-2", "GH-4"]);
      await store.markQueued("default", ["GH-2", "GH-4"]);
      await store.claim("GH-4", "a");
      await store.write("GH-4", "a", { state: "dead", reason: "attempts_exhausted" });
      expect(await store.recover("GH-4", "recovery:1")).toMatchObject({ state: "waiting" });
      expect(await store.unqueued("default", clock.now(), 10)).toEqual(["GH-4"]);
    });

    it("counts every ticket in exactly one state", async () => {
      const { store } = await open();
      for (const id of ["GH-1", "GH-2", "GH-3"]) await store.add(aTicket(id, { queue: id === "GH-3" ? "slow" : "fast" }));
      await store.claim("GH-1", "a");
      for (const state of ["running", "waiting", "running", "succeeded"] as const) await store.write("GH-1", "a", { state });
      const none = { queued: 0, running: 0, waiting: 0, succeeded: 0, failed: 0, dead: 0, cancelled: 0, quarantined: 0 };
      expect(await store.counts()).toEqual({ fast: { ...none, queued: 1, succeeded: 1 }, slow: { ...none, queued: 1 } });
    });

    it("lists newest first, page by page, by state and batch, and skips nothing", async () => {
      const { store, clock } = await open();
      for (let index = 1; index <= 7; index += 1) {
        await store.add(aTicket(`GH-${index}`, index % 2 === 0 ? { batchId: "even" } : {}));
        await clock.advance(1);
      }
      const first = await store.list({}, { limit: 4 });
      expect(first?.items.map(({ id }) => id)).toEqual(["GH-7", "GH-6", "GH-5", "GH-4"]);
      await store.add(aTicket("GH-8"));
      const second = await store.list({}, { limit: 4, cursor: first?.nextCursor ?? "" });
      expect(second?.items.map(({ id }) => id)).toEqual(["GH-3", "GH-2", "GH-1"]);
      expect(second).not.toHaveProperty("nextCursor");
      const even = await store.list({ batchId: "even", state: "queued" }, { limit: 10 });
      expect(even?.items.map(({ id }) => id)).toEqual(["GH-6", "GH-4", "GH-2"]);
      expect((await store.list({ state: "dead" }, { limit: 10 }))?.items).toEqual([]);
      expect(await store.list({}, { limit: 4, cursor: "no such" })).toBeUndefined();
    });
  });
}
