import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { ArmCounts, RolloutStratum } from "../../../packages/sdk/src/wire/rollouts.ts";
import { rolloutVerdictSchema } from "../../../packages/sdk/src/wire/rollouts.ts";
import { anArm, aRolloutPlan, aStratum } from "../../../test/builders/rollout-counts.ts";
import { createRandom } from "../../core/random.ts";
import { judgeRollout } from "./judge-rollout.ts";
import { nextRolloutMove } from "./next-rollout-move.ts";
import { countExposure, countOutcome, createArmCounts, type RecordedTicket, recountRollout } from "./recount-rollout.ts";
import { decideSequentially, sequenceFactor } from "./sequential-decision.ts";

const plan = aRolloutPlan();
const none = anArm(0, 0);

/** Every number of a value, however deep. */
function numbersIn(value: unknown): readonly number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

describe("quality", () => {
  it("is compared within each step and weighted by c·b/(c+b)", () => {
    const strata = [aStratum(0, anArm(50, 40), anArm(450, 405)), aStratum(1, anArm(60, 42), anArm(60, 45))];
    const [first, second] = [(50 * 450) / 500, 30];
    const difference = (first * (0.8 - 0.9) + second * (0.7 - 0.75)) / (first + second);
    const v = (tickets: number, successes: number) => ((successes + 0.5) / (tickets + 1)) * (1 - (successes + 0.5) / (tickets + 1));
    const variance =
      (first ** 2 * (v(50, 40) / 50 + v(450, 405) / 450) + second ** 2 * (v(60, 42) / 60 + v(60, 45) / 60)) / (first + second) ** 2;
    const halfWidth = Math.sqrt(variance * 620) * sequenceFactor(620, 600, 0.05);
    const { quality, tickets, strata: judged } = judgeRollout(strata, plan);
    expect(tickets).toBe(620);
    expect(quality?.difference).toBeCloseTo(difference, 12);
    expect(quality?.halfWidth).toBeCloseTo(halfWidth, 12);
    expect(quality?.harm).toBeCloseTo(halfWidth - difference, 12);
    expect(judged.map(({ weight }) => weight)).toEqual([first, second]);
  });

  it("sees two arms that fall alike as equal, and two that rise alike with a worse canary as worse, where pooled arms say the opposite", () => {
    const equal = [aStratum(0, anArm(100, 90), anArm(900, 810)), aStratum(1, anArm(500, 350), anArm(500, 350))];
    const worse = [aStratum(0, anArm(100, 60), anArm(900, 630)), aStratum(1, anArm(500, 400), anArm(500, 450))];
    const pooled = ([first, second]: readonly RolloutStratum[]) => {
      const add = (arm: "canary" | "baseline") => ({
        tickets: (first?.[arm].ended ?? 0) + (second?.[arm].ended ?? 0),
        successes: (first?.[arm].quality ?? 0) + (second?.[arm].quality ?? 0),
      });
      return decideSequentially(add("canary"), add("baseline"), { margin: 0.1, planned: 600, most: 3000 }).decision;
    };
    expect([pooled(equal), pooled(worse)]).toEqual(["rollback", "promote"]);
    expect(judgeRollout(equal, plan).quality).toMatchObject({ difference: expect.closeTo(0, 12), shownWorse: false });
    expect(judgeRollout(worse, plan).quality).toMatchObject({ difference: expect.closeTo(-0.1, 12), shownWorse: true });
  });

  it("takes scores between 0 and 1 with their own spread, which is less than that of outcomes", () => {
    const scored = { ...anArm(100, 80), qualitySquares: 100 * (0.8 ** 2 + 0.01) };
    const widthOf = (arm: ArmCounts) => judgeRollout([aStratum(0, arm, arm)], plan).quality?.halfWidth ?? 0;
    const spread = (100 * (0.8 ** 2 + 0.01) + 0.5) / 101 - (80.5 / 101) ** 2;
    expect(widthOf(scored)).toBeLessThan(widthOf(anArm(100, 80)));
    const reach = Math.sqrt(200) * sequenceFactor(200, 600, 0.05);
    expect(widthOf(scored)).toBeCloseTo(reach * Math.max(Math.sqrt((2 * spread) / 100), reach / 100), 12);
  });

  it("says nothing while no step has both arms, and nothing about worse with fewer than 30 tickets in an arm", () => {
    expect(judgeRollout([], plan).quality).toBeNull();
    expect(judgeRollout([aStratum(0, anArm(40, 1), none), aStratum(1, none, anArm(40, 40))], plan).quality).toBeNull();
    const verdict = judgeRollout([aStratum(0, anArm(29, 1), anArm(400, 380))], plan);
    expect(verdict.sufficient).toBe(false);
    expect(verdict.quality?.shownWorse).toBe(false);
    expect(judgeRollout([aStratum(0, anArm(30, 1), anArm(400, 380))], plan).quality?.shownWorse).toBe(true);
  });

  it("stays wide while hardly anything has failed: 30 successes of 30 exclude no tenth of failures", () => {
    expect(judgeRollout([aStratum(0, anArm(30, 30), anArm(600, 600))], plan).quality?.halfWidth).toBeGreaterThan(0.1);
  });
});

describe("catastrophe", () => {
  it("is six failures of the first ten where one of five fails", () => {
    const judged = (tickets: number, successes: number) =>
      judgeRollout([aStratum(0, anArm(tickets, successes), anArm(400, 320))], plan).catastrophe;
    expect(judged(10, 4)).toMatchObject({ shown: true, chance: expect.closeTo(0.0064, 3) });
    expect(judged(10, 5).shown).toBe(false);
    expect(judged(9, 0)).toEqual({ chance: null, shown: false });
    expect(judged(30, 0)).toEqual({ chance: null, shown: false });
  });

  it("expects of each step what the baseline does in it", () => {
    const strata = [aStratum(0, anArm(4, 4), anArm(400, 380)), aStratum(1, anArm(8, 3), anArm(400, 160))];
    expect(judgeRollout(strata, plan).catastrophe).toMatchObject({ shown: false, chance: expect.closeTo(0.59, 1) });
  });
});

describe("cost per success", () => {
  const lognormal = (random: () => number) => {
    const sigma = Math.sqrt(Math.log(1 + 1.2 ** 2));
    return Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()) - sigma ** 2 / 2);
  };
  const drawnArm = (random: () => number, tickets: number, { ratio = 1, quality = 1 } = {}) => {
    const arm = createArmCounts();
    for (let ticket = 0; ticket < tickets; ticket += 1) {
      countExposure(arm);
      countOutcome(arm, { quality: random() < quality ? 1 : 0, costMicroUsd: 1e5 * ratio * lognormal(random) });
    }
    return arm;
  };

  it("counts what failed attempts cost: the same cost a ticket with three successes instead of four is a third dearer", () => {
    const cost = judgeRollout([aStratum(0, anArm(400, 300), anArm(400, 400))], plan).cost;
    expect(cost).toMatchObject({ kind: "compared", logRatio: expect.closeTo(Math.log(4 / 3), 12), shownDear: true, shownCheap: false });
  });

  it("shows what costs twice as much to be dear and what costs half to be cheap, more strictly", () => {
    const random = createRandom(11);
    const costOf = (ratio: number) => judgeRollout([aStratum(0, drawnArm(random, 400, { ratio }), drawnArm(random, 400))], plan).cost;
    expect([costOf(2), costOf(0.5), costOf(1.1)]).toMatchObject([
      { shownDear: true, shownCheap: false },
      { shownDear: false, shownCheap: true },
      { shownDear: false, shownCheap: false },
    ]);
    const cost = costOf(1);
    expect(cost.kind === "compared" && cost.halfWidthCheap / cost.halfWidthDear).toBeGreaterThan(1.05);
  });

  it("is not deceived when both arms cost three times as much in a later step with a larger share", () => {
    const random = createRandom(12);
    const later = { ratio: 3 };
    const strata = [
      aStratum(0, drawnArm(random, 50), drawnArm(random, 950)),
      aStratum(1, drawnArm(random, 500, later), drawnArm(random, 500, later)),
    ];
    const pooled =
      strata.reduce((sum, { canary }) => sum + canary.costMicroUsd, 0) /
      550 /
      (strata.reduce((sum, { baseline }) => sum + baseline.costMicroUsd, 0) / 1450);
    expect(pooled).toBeGreaterThan(1.5);
    expect(judgeRollout(strata, plan).cost).toMatchObject({ shownDear: false, logRatio: expect.closeTo(0, 0) });
  });

  it("is unknown, and never 0, when the cost of one ticket is", () => {
    const arm = { ...anArm(400, 400), unpriced: 1 };
    for (const stratum of [aStratum(0, arm, anArm(400, 400)), aStratum(0, anArm(400, 400), arm)]) {
      const verdict = judgeRollout([stratum], plan);
      expect(verdict.cost).toEqual({ kind: "unknown", because: "unpriced" });
      expect([verdict.canary.meanCostMicroUsd, verdict.baseline.meanCostMicroUsd]).toContain(null);
    }
  });

  it("names what else cannot be compared", () => {
    const free = { costMicroUsd: 0 };
    const costOf = (canary: ArmCounts, baseline: ArmCounts) => judgeRollout([aStratum(0, canary, baseline)], plan).cost;
    expect(costOf(anArm(29, 29), anArm(90, 90))).toEqual({ kind: "unknown", because: "too_few" });
    expect(costOf(anArm(90, 90, free), anArm(90, 90))).toEqual({ kind: "free" });
    expect(costOf(anArm(90, 90, free), anArm(90, 90, free))).toEqual({ kind: "free" });
    expect(costOf(anArm(90, 90), anArm(90, 90, free))).toEqual({ kind: "unknown", because: "baseline_free" });
    expect(costOf(anArm(90, 0), anArm(90, 90))).toEqual({ kind: "unknown", because: "no_success" });
  });

  it("shows nothing without a limit", () => {
    const cost = judgeRollout([aStratum(0, anArm(90, 90, { costMicroUsd: 900 }), anArm(90, 90))], { ...plan, costLimit: null }).cost;
    expect(cost).toMatchObject({ kind: "compared", shownDear: false, shownCheap: false });
  });
});

describe("split", () => {
  const exposed = (canary: number, baseline: number, share: number): RolloutStratum => ({
    step: 0,
    share,
    canary: { ...none, exposed: canary },
    baseline: { ...none, exposed: baseline },
  });

  it("is broken when half of the canary's tickets are lost, and right when none is, with the exposed tickets alone", () => {
    expect(judgeRollout([exposed(50, 450, 0.1)], plan).split).toMatchObject({ broken: false, pValue: 1 });
    expect(judgeRollout([exposed(50, 950, 0.1)], plan).split).toMatchObject({ broken: true, pValue: expect.closeTo(0, 3) });
  });

  it("adds up over steps with other shares", () => {
    const strata = [exposed(30, 970, 0.05), exposed(70, 930, 0.1), exposed(200, 800, 0.25)];
    const alone = strata.map((stratum) => judgeRollout([stratum], plan).split.logEvalue);
    const { logEvalue, broken } = judgeRollout(strata, plan).split;
    expect(logEvalue).toBeCloseTo(
      alone.reduce((sum, one) => sum + one, 0),
      9,
    );
    expect(alone.every((one) => one < Math.log(1000))).toBe(true);
    expect(broken).toBe(true);
  });

  it("allows a late baseline ticket at a share of 1, and no hundred", () => {
    expect(judgeRollout([exposed(2000, 1, 1)], plan).split.broken).toBe(false);
    expect(judgeRollout([exposed(2000, 0, 1)], plan).split.broken).toBe(false);
    expect(judgeRollout([exposed(1900, 100, 1)], plan).split.broken).toBe(true);
  });

  it.each([0.05, 0.1, 0.25, 0.5, 0.95])(
    "finds a loss of two fifths of the canary's tickets in the step of share %f, whichever it is",
    (lossy) => {
      const random = createRandom(Math.round(lossy * 1000));
      const strata = [0.05, 0.1, 0.25, 0.5, 0.95].map((share) => {
        let [canary, baseline] = [0, 0];
        for (let ticket = 0; ticket < 4000; ticket += 1) {
          if (random() >= share) baseline += 1;
          else if (share !== lossy || random() >= 0.4) canary += 1;
        }
        return exposed(canary, baseline, share);
      });
      const [worst] = [...judgeRollout(strata, plan).strata].sort((a, b) => b.logEvalue - a.logEvalue);
      expect(worst?.share).toBe(lossy);
      expect(judgeRollout(strata, plan).split.broken).toBe(true);
    },
  );
});

describe("numbers", () => {
  const wild = [
    [],
    [aStratum(0, none, none)],
    [aStratum(0, none, anArm(100, 100))],
    [aStratum(0, anArm(100, 100), none)],
    [aStratum(0, anArm(1, 1), anArm(1, 0))],
    [aStratum(0, anArm(500_000, 400_000), anArm(500_000, 400_000)), aStratum(1, anArm(1, 0), anArm(1_000_000, 0))],
    [aStratum(0, anArm(1_000_000, 1_000_000), none), aStratum(1, none, anArm(1_000_000, 0))],
    [aStratum(0, anArm(50, 50, { costMicroUsd: 0 }), anArm(50, 0, { costMicroUsd: 0 }))],
    [{ step: 0, share: 0, canary: anArm(5, 5), baseline: anArm(5, 5) }],
    [{ step: 0, share: 1, canary: none, baseline: anArm(5, 5) }],
    [aStratum(0, { ...anArm(50, 50), quality: Number.NaN, costSquares: Number.NaN, unpriced: -1 }, anArm(50, 70))],
  ];

  it.each(wild.map((strata, index) => [index, strata] as const))("are finite for strange counts %i", (_index, strata) => {
    const verdict = judgeRollout(strata, plan);
    expect(numbersIn(verdict).filter((value) => !Number.isFinite(value))).toEqual([]);
    expect(rolloutVerdictSchema.parse(verdict)).toEqual(verdict);
    expect(numbersIn(nextRolloutMove(running(strata), factsOf(strata))).every(Number.isFinite)).toBe(true);
  });
});

const running = (strata: readonly RolloutStratum[], margin = 0.1) => ({
  plan: aRolloutPlan({ margin, minPerStep: 1, maxTickets: 200_000 }),
  state: "running" as const,
  step: Math.max(0, ...strata.map(({ step }) => step)),
  stepSince: 0,
});
const factsOf = (strata: readonly RolloutStratum[]) => ({
  now: 1e9,
  verdict: judgeRollout(strata, plan),
  recentExposures: 1,
  misassigned: 0,
  guard: { kind: "clear" as const },
});

describe("properties", () => {
  const ticket = fc.record({
    step: fc.integer({ min: 0, max: 4 }),
    arm: fc.constantFrom("canary" as const, "baseline" as const),
    quality: fc.constantFrom(0, 1, 1, 1),
    costMicroUsd: fc.integer({ min: 0, max: 1_000_000 }),
  });
  const tickets = fc.array(ticket, { maxLength: 400, size: "max" });
  const recorded = (id: string, { step, arm, quality, costMicroUsd }: TicketDraw): RecordedTicket => ({
    id,
    step,
    arm,
    outcome: { quality, costMicroUsd },
  });
  const recount = (records: readonly RecordedTicket[]) => recountRollout({ salt: "s", plan, largestShare: 1 }, records).strata;

  const armOf = fc
    .record({
      ended: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 400 })),
      ratio: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
      costMicroUsd: fc.constantFrom(0, 90, 100, 120),
    })
    .map(({ ended, ratio, costMicroUsd }) => anArm(ended, Math.round(ended * ratio), { costMicroUsd }));
  const strataDraw = fc
    .array(fc.record({ canary: armOf, baseline: armOf }), { minLength: 1, maxLength: 5 })
    .map((arms) => arms.map(({ canary, baseline }, step) => aStratum(step, canary, baseline)));

  it("hold: neither the order nor the ids of the tickets change a verdict", () => {
    fc.assert(
      fc.property(tickets, fc.integer(), (drawn, seed) => {
        const random = createRandom(seed);
        const before = recount(drawn.map((one, index) => recorded(`T-${index}`, one)));
        const shuffled = drawn.map((one) => ({ one, key: random() })).sort((a, b) => a.key - b.key);
        const after = recount(shuffled.map(({ one, key }) => recorded(`renamed ${key}`, one)));
        expect(judgeRollout(after, plan)).toEqual(judgeRollout(before, plan));
      }),
    );
  });

  it("hold: swapping the names of steps changes no figure", () => {
    fc.assert(
      fc.property(strataDraw, (strata) => {
        const { strata: _terms, ...verdict } = judgeRollout(strata, plan);
        const swapped = strata.map((stratum) => ({ ...stratum, step: strata.length - 1 - stratum.step })).sort((a, b) => a.step - b.step);
        const { strata: _others, ...other } = judgeRollout(swapped, plan);
        const [before, after] = [numbersIn(verdict), numbersIn(other)];
        // Sums in another order differ in their last bits.
        const changed = after.filter(
          (number, index) => !(Math.abs(number - (before[index] ?? Number.NaN)) <= 1e-9 * Math.max(1, Math.abs(number))),
        );
        expect([after.length, changed]).toEqual([before.length, []]);
      }),
    );
  });

  it("hold: a success of the canary that becomes a failure moves no bound towards the canary", () => {
    fc.assert(
      fc.property(strataDraw, fc.nat(), (strata, pick) => {
        const worse = withFailure(strata, pick);
        fc.pre(worse !== undefined);
        const [before, after] = [judgeRollout(strata, plan), judgeRollout(worse ?? [], plan)];
        // What must not grow when the canary gets worse; null where there is nothing to compare.
        const bounds = ({ quality, cost, catastrophe }: typeof before) => [
          quality && quality.difference + quality.halfWidth,
          quality && quality.difference - quality.halfWidth,
          cost.kind === "compared" ? cost.halfWidthDear - cost.logRatio : null,
          catastrophe.chance,
        ];
        const lower = bounds(after);
        const grown = bounds(before).filter((bound, index) => bound !== null && (lower[index] ?? bound) > bound + 1e-12);
        expect(grown).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it("hold: a worse canary never gets on, however close to the margin it was", () => {
    const getsOn = (strata: readonly RolloutStratum[], margin: number) =>
      ["advance", "finish"].includes(nextRolloutMove(running(strata, margin), factsOf(strata)).kind);
    fc.assert(
      fc.property(strataDraw, fc.nat(), fc.constantFrom(0.9, 0.999, 1.001), (strata, pick, closeness) => {
        const worse = withFailure(strata, pick);
        const harm = judgeRollout(strata, plan).quality?.harm ?? 1;
        const margin = Math.min(0.999, Math.max(0.001, harm * closeness * ([0.1, 0.25, 0.5, 1, 1][strata.length - 1] ?? 1)));
        fc.pre(worse !== undefined && !getsOn(strata, margin));
        expect(getsOn(worse ?? [], margin)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
});

interface TicketDraw {
  readonly step: number;
  readonly arm: "canary" | "baseline";
  readonly quality: number;
  readonly costMicroUsd: number;
}

/** The same counts with one success of the canary turned into a failure, in one of the steps that have one. */
function withFailure(strata: readonly RolloutStratum[], pick: number): readonly RolloutStratum[] | undefined {
  const possible = strata.filter(({ canary }) => canary.quality >= 1);
  const chosen = possible[pick % Math.max(1, possible.length)];
  if (chosen === undefined) return undefined;
  const { canary } = chosen;
  const failed = {
    ...canary,
    quality: canary.quality - 1,
    qualitySquares: canary.qualitySquares - 1,
    costQuality: canary.costQuality - canary.costMicroUsd / canary.ended,
  };
  return strata.map((stratum) => (stratum === chosen ? { ...stratum, canary: failed } : stratum));
}
