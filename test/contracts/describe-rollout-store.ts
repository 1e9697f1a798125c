import { describe, expect, it } from "@jest/globals";
import { bucketOf } from "../../packages/sdk/src/assignment.ts";
import type { ArmCounts, Rollout, RolloutAssignment } from "../../packages/sdk/src/wire/rollouts.ts";
import type { endStates } from "../../packages/sdk/src/wire/tickets.ts";
import { dayMs } from "../../src/core/duration.ts";
import {
  maxLiveRollouts,
  maxRolloutDecisions,
  type NewRollout,
  type RolloutChange,
  type RolloutStore,
} from "../../src/llm/rollouts/rollout.ts";
import { aRollout, aRolloutPlan, aRolloutSubject } from "../builders/a-rollout.ts";
import type { FakeClock } from "../fakes/fake-clock.ts";

/** A store of its own for one test, the clock that it reads, and what happens to tickets. */
export interface RolloutFixture {
  readonly store: RolloutStore;
  readonly clock: FakeClock;
  readonly expose: (ticketId: string, assignments: readonly RolloutAssignment[]) => Promise<void>;
  /** Undefined: a cost that is not known. */
  readonly spend: (ticketId: string, costMicroUsd: number | undefined) => Promise<void>;
  readonly end: (ticketId: string, outcome: (typeof endStates)[number]) => Promise<void>;
}

const noCounts: ArmCounts = {
  exposed: 0,
  ended: 0,
  succeeded: 0,
  overdue: 0,
  cancelled: 0,
  unpriced: 0,
  quality: 0,
  qualitySquares: 0,
  costMicroUsd: 0,
  costSquares: 0,
  costQuality: 0,
};

const { salt } = aRollout();

/** Ids of `count` tickets whose buckets in {@link aRollout} lie in [from, to). */
export function ticketsBetween(from: number, to: number, count: number): readonly string[] {
  return ticketsOfSalt(salt, { from, to, count });
}

/** Ids of `count` tickets whose buckets under a salt lie in [from, to). */
export function ticketsOfSalt(
  ofSalt: string,
  { from, to, count }: { readonly from: number; readonly to: number; readonly count: number },
): readonly string[] {
  const found: string[] = [];
  for (let nth = 0; found.length < count; nth += 1) {
    const bucket = bucketOf(ofSalt, `T-${nth}`);
    if (bucket >= from && bucket < to) found.push(`T-${nth}`);
  }
  return found;
}

/** The specification of every store of rollouts. `open` makes a fresh one. */
export function describeRolloutStore(name: string, open: () => Promise<RolloutFixture>): void {
  const created = async (change: Partial<NewRollout> = {}) => {
    const fixture = await open();
    const made = await fixture.store.create(aRollout(change));
    if (made.kind !== "created") throw new Error(made.kind);
    return { ...fixture, rollout: made.rollout };
  };
  const changeOf = async (store: RolloutStore, set: RolloutChange["set"], id = "r1"): Promise<Rollout> => {
    const expected = (await store.read(id))?.version ?? 0;
    const result = await store.change({ id, expected, set });
    if (result.kind !== "set") throw new Error(result.kind);
    return result.rollout;
  };
  /** A rollout at its first step, a tenth. */
  const running = async (change: Partial<NewRollout> = {}) => {
    const fixture = await created(change);
    await changeOf(fixture.store, { state: "running", step: 0, stepSince: fixture.clock.now() });
    const assign = (ticketId: string, arm: RolloutAssignment["arm"], share?: number) =>
      fixture.expose(ticketId, [{ rollout: "r1", arm, ...(share === undefined ? {} : { share }) }]);
    const armOf = async (arm: RolloutAssignment["arm"], step = 0) =>
      (await fixture.store.strata("r1")).find((stratum) => stratum.step === step)?.[arm];
    return { ...fixture, assign, armOf };
  };
  const [canary = "", otherCanary = ""] = ticketsBetween(0, 0.1, 2);
  const [baseline = ""] = ticketsBetween(0.95, 1, 1);
  const [middle = ""] = ticketsBetween(0.1, 0.5, 1);

  describe(`${name} as a store of rollouts`, () => {
    it("keeps a rollout that is planned, and answers the same creation with it", async () => {
      const { store, clock } = await open();
      const made = await store.create(aRollout());
      expect(made).toEqual({
        kind: "created",
        rollout: {
          ...aRollout(),
          state: "planned",
          step: -1,
          stepSince: clock.now(),
          largestShare: 0,
          decisions: [],
          version: 1,
          createdAt: clock.now(),
        },
      });
      await clock.advance(5);
      expect(await store.create(aRollout({ by: "run:2" }))).toEqual({ ...made, kind: "exists" });
      expect(await store.create(aRollout({ plan: aRolloutPlan({ margin: 0.2 }) }))).toEqual({ ...made, kind: "taken" });
      expect(await store.read("r1")).toEqual(Object(made).rollout);
      expect(await store.read("r2")).toBeUndefined();
    });

    it("lets a target have one live rollout, and another when that has ended", async () => {
      const { store, rollout } = await created();
      expect(await store.create(aRollout({ id: "r2" }))).toEqual({ kind: "busy", rollout });
      expect((await store.create(aRollout({ id: "r3", subject: aRolloutSubject("review") }))).kind).toBe("created");
      expect((await store.liveOf("route/implement"))?.id).toBe("r1");
      await changeOf(store, { state: "aborted" });
      expect(await store.liveOf("route/implement")).toBeUndefined();
      expect((await store.create(aRollout({ id: "r2" }))).kind).toBe("created");
      expect((await store.liveOf("route/implement"))?.id).toBe("r2");
    });

    it("has at most ten live rollouts", async () => {
      const { store } = await open();
      const kinds = [];
      for (let nth = 0; nth <= maxLiveRollouts; nth += 1)
        kinds.push((await store.create(aRollout({ id: `r${nth}`, subject: aRolloutSubject(`route ${nth}`) }))).kind);
      expect(kinds).toEqual([...Array.from({ length: maxLiveRollouts }, () => "created"), "too_many"]);
      await changeOf(store, { state: "rolled_back" }, "r3");
      expect((await store.create(aRollout({ id: "next", subject: aRolloutSubject("next") }))).kind).toBe("created");
    });

    it("changes a rollout only from the version that was expected", async () => {
      const { store, rollout } = await created();
      for (const expected of [0, 2])
        expect(await store.change({ id: "r1", expected, set: { state: "running" } })).toEqual({ kind: "conflict", rollout });
      expect(await store.change({ id: "r9", expected: 1, set: {} })).toEqual({ kind: "conflict", rollout: undefined });
      const replies = await Promise.all(
        [0.1, 0.2, 0.3, 0.4].map((largestShare) => store.change({ id: "r1", expected: 1, set: { largestShare } })),
      );
      expect(replies.filter(({ kind }) => kind === "set")).toHaveLength(1);
      expect((await store.read("r1"))?.version).toBe(2);
    });

    it("goes on without its run, and with another", async () => {
      const { store } = await created();
      expect((await changeOf(store, { runId: undefined })).runId).toBeUndefined();
      expect((await store.read("r1"))?.runId).toBeUndefined();
      await changeOf(store, { runId: "2", accepted: { logEvalue: 7, misassigned: 1 } });
      expect(await store.read("r1")).toMatchObject({ runId: "2", accepted: { logEvalue: 7, misassigned: 1 } });
    });

    it("keeps the newest 200 decisions", async () => {
      const { store, clock } = await created();
      for (let nth = 0; nth < maxRolloutDecisions + 3; nth += 1) {
        const decision = {
          at: clock.now(),
          decision: "stay",
          reason: "too_few",
          detail: `${nth}`,
          step: 0,
          share: 0.1,
          by: "run:1",
        } as const;
        await store.change({ id: "r1", expected: nth + 1, set: {}, decision });
      }
      const { decisions = [] } = (await store.read("r1")) ?? {};
      expect(decisions).toHaveLength(maxRolloutDecisions);
      expect([decisions[0]?.detail, decisions.at(-1)?.detail]).toEqual(["3", "202"]);
    });

    it("never shrinks the largest share, and leaves the holdback out of it", async () => {
      const { store } = await created();
      expect((await changeOf(store, { state: "running", step: 1 })).largestShare).toBe(0.5);
      expect((await changeOf(store, { step: 0 })).largestShare).toBe(0.5);
      expect((await changeOf(store, { step: 2, largestShare: 0.2 })).largestShare).toBe(0.95);
    });

    it("makes nothing live again that has ended, and lists what is live first, then by end", async () => {
      const { store, clock } = await created();
      await store.create(aRollout({ id: "r2", subject: aRolloutSubject("review") }));
      await store.create(aRollout({ id: "r3", subject: aRolloutSubject("plan") }));
      await changeOf(store, { state: "promoted" });
      await clock.advance(10);
      const end = clock.now();
      await changeOf(store, { state: "rolled_back" }, "r2");
      await clock.advance(10);
      expect(await store.change({ id: "r2", expected: 2, set: { state: "running" } })).toMatchObject({
        kind: "conflict",
        rollout: { version: 2 },
      });
      expect((await changeOf(store, { state: "aborted" }, "r2")).endedAt).toBe(end);
      expect((await store.list()).map(({ id }) => id)).toEqual(["r3", "r2", "r1"]);
    });

    it("forgets a rollout thirty days after its end", async () => {
      const { store, clock } = await created();
      await changeOf(store, { state: "promoted" });
      await clock.advance(30 * dayMs);
      await store.create(aRollout({ id: "r2" }));
      expect((await store.list()).map(({ id }) => id)).toEqual(["r2", "r1"]);
      await clock.advance(1);
      await store.create(aRollout({ id: "r3", subject: aRolloutSubject("review") }));
      expect((await store.list()).map(({ id }) => id)).toEqual(["r3", "r2"]);
    });

    it("counts a ticket once, in the step and arm of its first exposure, and moves it to its end there", async () => {
      const { store, assign, spend, end } = await running();
      await assign(canary, "canary");
      await assign(baseline, "baseline");
      await spend(canary, 3000);
      await changeOf(store, { step: 1 });
      await assign(canary, "canary");
      await assign(middle, "canary");
      await spend(canary, 1000);
      await end(canary, "succeeded");
      await end(canary, "failed");
      await end(baseline, "dead");
      expect(await store.strata("r1")).toEqual([
        {
          step: 0,
          share: 0.1,
          canary: {
            ...noCounts,
            exposed: 1,
            ended: 1,
            succeeded: 1,
            quality: 1,
            qualitySquares: 1,
            costMicroUsd: 4000,
            costSquares: 16_000_000,
            costQuality: 4000,
          },
          baseline: { ...noCounts, exposed: 1, ended: 1 },
        },
        { step: 1, share: 0.5, canary: { ...noCounts, exposed: 1 }, baseline: noCounts },
      ]);
      expect(await store.misassigned("r1")).toBe(0);
    });

    it("counts a ticket under the step whose share its assignment names", async () => {
      const { store, assign } = await running();
      await changeOf(store, { step: 1 });
      await changeOf(store, { step: 2 });
      await assign(middle, "baseline", 0.1);
      await assign(canary, "canary", 0.5);
      await assign(baseline, "baseline", 0.95);
      const strata = await store.strata("r1");
      expect(
        strata.map(({ step, share, canary: { exposed: canaries }, baseline: { exposed } }) => [step, share, canaries, exposed]),
      ).toEqual([
        [0, 0.1, 0, 1],
        [1, 0.5, 1, 0],
        [2, 0.95, 0, 1],
      ]);
      expect(await store.misassigned("r1")).toBe(0);
    });

    it("keeps tickets in no stratum whose arm the hash forbids, and counts each once", async () => {
      const { store, assign, spend, end } = await running();
      await assign(middle, "canary");
      await assign(middle, "canary");
      await assign(canary, "baseline", 0.1);
      await assign(otherCanary, "canary", 0.25);
      await assign(baseline, "canary", 0.1);
      await spend(middle, 1000);
      await end(middle, "succeeded");
      expect(await store.misassigned("r1")).toBe(4);
      expect(await store.strata("r1")).toEqual([]);
    });

    it("forbids a baseline that every share says is a canary only when the ticket can have been assigned since the first one", async () => {
      const { store, clock, assign, armOf } = await running();
      await clock.advance(aRolloutPlan().deadlineMs - 1);
      await assign(canary, "baseline");
      expect(await armOf("baseline")).toMatchObject({ exposed: 1 });
      await clock.advance(1);
      await assign(otherCanary, "baseline");
      expect(await store.misassigned("r1")).toBe(1);
      await assign(middle, "baseline");
      expect(await armOf("baseline")).toMatchObject({ exposed: 2 });
    });

    it("keeps tickets in no stratum that began before the first share or after the end, but knows when they were exposed", async () => {
      const { store, clock, expose, end } = await created();
      await expose(baseline, [{ rollout: "r1", arm: "baseline", share: 0 }]);
      await changeOf(store, { state: "running", step: 0 });
      await expose(baseline, [{ rollout: "r1", arm: "baseline", share: 0.1 }]);
      await end(baseline, "succeeded");
      await clock.advance(1000);
      await changeOf(store, { state: "rolled_back" });
      const since = clock.now();
      expect(await store.exposedSince("r1", "canary", since)).toBe(0);
      await expose(canary, [{ rollout: "r1", arm: "canary", share: 0.1 }]);
      expect(await store.strata("r1")).toEqual([]);
      expect(await store.exposedSince("r1", "canary", since)).toBe(1);
      expect(await store.exposedSince("r1", "canary", since + 1)).toBe(0);
      expect(await store.exposedSince("r1", "baseline", 0)).toBe(1);
    });

    it("ignores a rollout that it does not know", async () => {
      const { store, expose, end } = await running();
      await expose(canary, [
        { rollout: "nothing", arm: "canary" },
        { rollout: "r1", arm: "canary" },
      ]);
      await end(canary, "succeeded");
      expect(await store.strata("r1")).toMatchObject([{ canary: { ended: 1 } }]);
      expect(await store.strata("nothing")).toEqual([]);
      expect(await store.misassigned("nothing")).toBe(0);
      expect(await store.failOverdue("nothing", 0)).toBe(0);
    });

    it("counts a ticket in every rollout that it is in", async () => {
      const { store, expose, end } = await running();
      await store.create(aRollout({ id: "r2", subject: aRolloutSubject("review"), salt }));
      await changeOf(store, { state: "running", step: 1 }, "r2");
      await expose(canary, [
        { rollout: "r1", arm: "canary" },
        { rollout: "r2", arm: "canary" },
      ]);
      await end(canary, "succeeded");
      expect(await store.strata("r1")).toMatchObject([{ step: 0, canary: { ended: 1, quality: 1 } }]);
      expect(await store.strata("r2")).toMatchObject([{ step: 1, canary: { ended: 1, quality: 1 } }]);
      expect(await store.reviseQuality({ ticketId: canary, quality: 0 })).toEqual({ kind: "revised", rollouts: 2 });
    });

    it("takes a cancelled ticket out of the outcomes, and a failed one as quality 0 with its cost", async () => {
      const { assign, spend, end, armOf } = await running();
      await assign(canary, "canary");
      await assign(otherCanary, "canary");
      await spend(canary, 500);
      await spend(otherCanary, 700);
      await end(canary, "cancelled");
      await end(otherCanary, "quarantined");
      expect(await armOf("canary")).toEqual({ ...noCounts, exposed: 2, ended: 1, cancelled: 1, costMicroUsd: 700, costSquares: 490_000 });
    });

    it("counts apart ended tickets of whose cost a part is not known, and adds nothing of it", async () => {
      const { assign, spend, end, armOf } = await running();
      await assign(canary, "canary");
      await spend(canary, 500);
      await spend(canary, undefined);
      expect(await armOf("canary")).toMatchObject({ unpriced: 0 });
      await end(canary, "succeeded");
      expect(await armOf("canary")).toMatchObject({ unpriced: 1, costMicroUsd: 0, costSquares: 0, quality: 1 });
    });

    it("counts a success without any usage as of unknown cost until its usage comes, and a failure as free", async () => {
      const { store, assign, spend, end, armOf } = await running();
      await assign(canary, "canary");
      await assign(otherCanary, "canary");
      await end(canary, "succeeded");
      await end(otherCanary, "failed");
      const ended = { exposed: 2, ended: 2, quality: 1, costMicroUsd: 0 };
      expect(await armOf("canary")).toMatchObject({ ...ended, unpriced: 1 });
      expect(await store.reviseQuality({ ticketId: canary, quality: 0.5 })).toMatchObject({ kind: "revised" });
      expect(await armOf("canary")).toMatchObject({ unpriced: 1, costQuality: 0 });
      await spend(canary, 0);
      expect(await armOf("canary")).toMatchObject({ unpriced: 0, costMicroUsd: 0 });
      await spend(canary, 300);
      expect(await armOf("canary")).toMatchObject({ unpriced: 0, costMicroUsd: 300, costSquares: 90_000, costQuality: 150 });
    });

    it("adds what a ticket costs after its end", async () => {
      const { assign, spend, end, armOf } = await running();
      await assign(canary, "canary");
      await end(canary, "succeeded");
      await spend(canary, 300);
      expect(await armOf("canary")).toMatchObject({ costMicroUsd: 300, costSquares: 90_000, costQuality: 300, unpriced: 0 });
      await spend(canary, undefined);
      await spend(canary, 40);
      expect(await armOf("canary")).toMatchObject({ costMicroUsd: 0, costSquares: 0, costQuality: 0, unpriced: 1 });
    });

    it("sums squares of large costs without an overflow, and of tiny ones without a loss", async () => {
      const { assign, spend, end, armOf } = await running();
      const cost = 900_000_000_000;
      const many = ticketsBetween(0, 0.1, 40);
      for (const ticket of many) {
        await assign(ticket, "canary");
        await spend(ticket, cost);
        await end(ticket, "succeeded");
      }
      const counts = await armOf("canary");
      expect(counts?.costMicroUsd).toBe(40 * cost);
      expect((counts?.costSquares ?? 0) / (40 * cost ** 2)).toBeCloseTo(1, 9);
      await assign(baseline, "baseline");
      await spend(baseline, 3);
      await end(baseline, "failed");
      expect(await armOf("baseline")).toMatchObject({ costMicroUsd: 3, costSquares: 9 });
    });

    it("counts a ticket as failed that has not ended by its deadline, with what it has cost, whatever comes later", async () => {
      const { store, clock, assign, spend, end, armOf } = await running();
      await assign(canary, "canary");
      await spend(canary, 200);
      await clock.advance(1000);
      await assign(otherCanary, "canary");
      await clock.advance(aRolloutPlan().deadlineMs - 1000);
      expect(await store.failOverdue("r1", clock.now())).toBe(0);
      await clock.advance(1);
      expect(await store.failOverdue("r1", clock.now())).toBe(1);
      expect(await store.failOverdue("r1", clock.now())).toBe(0);
      const failed = { ...noCounts, exposed: 2, ended: 1, overdue: 1, costMicroUsd: 200, costSquares: 40_000 };
      expect(await armOf("canary")).toEqual(failed);
      await spend(canary, 100);
      await end(canary, "succeeded");
      expect(await store.reviseQuality({ ticketId: canary, quality: 1 })).toEqual({ kind: "too_late" });
      expect(await armOf("canary")).toEqual({ ...failed, costMicroUsd: 300, costSquares: 90_000 });
    });

    it("counts a ticket as failed that ends after its deadline, also when the deadline was not looked for", async () => {
      const { store, clock, assign, end, armOf } = await running();
      await assign(canary, "canary");
      await assign(otherCanary, "canary");
      await clock.advance(aRolloutPlan().deadlineMs);
      await end(otherCanary, "succeeded");
      await clock.advance(1);
      await end(canary, "succeeded");
      expect(await store.failOverdue("r1", clock.now())).toBe(0);
      expect(await armOf("canary")).toMatchObject({ ended: 2, succeeded: 1, overdue: 1, quality: 1 });
    });

    it("revises the quality of an ended ticket within the lag", async () => {
      const { store, clock, assign, spend, end, armOf } = await running();
      expect(await store.reviseQuality({ ticketId: canary, quality: 0.5 })).toEqual({ kind: "unknown_ticket" });
      await assign(canary, "canary");
      await spend(canary, 1000);
      expect(await store.reviseQuality({ ticketId: canary, quality: 0.5 })).toEqual({ kind: "not_ended" });
      await end(canary, "succeeded");
      expect(await store.reviseQuality({ ticketId: canary, quality: 0.7 })).toEqual({ kind: "revised", rollouts: 1 });
      expect(await armOf("canary")).toMatchObject({ ended: 1, quality: 0.7, qualitySquares: expect.closeTo(0.49, 6), costQuality: 700 });
      await clock.advance(aRolloutPlan().lagMs);
      expect(await store.reviseQuality({ ticketId: canary, quality: 0.7 })).toEqual({ kind: "unchanged", rollouts: 1 });
      expect(await store.reviseQuality({ ticketId: canary, quality: 0.3 })).toEqual({ kind: "revised", rollouts: 1 });
      await clock.advance(1);
      expect(await store.reviseQuality({ ticketId: canary, quality: 0.9 })).toEqual({ kind: "too_late" });
      expect(await armOf("canary")).toMatchObject({ ended: 1, quality: 0.3, qualitySquares: expect.closeTo(0.09, 6) });
    });
  });
}
