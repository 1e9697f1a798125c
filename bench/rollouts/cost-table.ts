import type { RolloutStratum } from "../../packages/sdk/src/wire/rollouts.ts";
import { createRandom, type Random } from "../../src/core/random.ts";
import { compareCost } from "../../src/llm/rollouts/compare-cost.ts";
import { type CountingArm, countExposure, countOutcome, createArmCounts } from "../../src/llm/rollouts/recount-rollout.ts";
import { sequenceFactor } from "../../src/llm/rollouts/sequential-decision.ts";
import { type Cell, shareCell, type Table } from "./compare-table.ts";

const referenceRuns = 600;
const z95 = 1.645;
const logDeviation = Math.sqrt(Math.log(1 + 1.2 ** 2));

/** A cost with mean 100,000 micro-USD and a coefficient of variation of 1.2. */
function drawCost(random: Random): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return 1e5 * Math.exp(logDeviation * normal - logDeviation ** 2 / 2);
}

type CountingStratum = RolloutStratum & { readonly canary: CountingArm; readonly baseline: CountingArm };

function emptyStratum(step: number, share: number): CountingStratum {
  return { step, share, canary: createArmCounts(), baseline: createArmCounts() };
}

function countTicket(
  stratum: CountingStratum,
  arm: "canary" | "baseline",
  outcome: { readonly quality: number; readonly costMicroUsd: number },
): void {
  countExposure(stratum[arm]);
  countOutcome(stratum[arm], outcome);
}

/** Relative variance of an arm's mean cost. */
function relativeVariance({ ended, costMicroUsd, costSquares }: CountingArm): number {
  const mean = costMicroUsd / ended;
  return (costSquares / ended - mean ** 2) / (ended - 1) / mean ** 2;
}

const percentOf = (percent: number) => ({ share: percent / 100, runs: referenceRuns });

/** True ratio, limit, share, and percent of the reference: "cheap" with a fixed z; "cheap" and "dear" with an interval that holds at every look. */
const peekingRows: readonly (readonly [number, number, number, number, number, number])[] = [
  [1.1, 1.1, 0.5, 27.5, 3.3, 2.7],
  [1.1, 1.1, 0.2, 33.5, 5.3, 1.8],
  [1, 1.1, 0.5, 74.8, 25.8, 0.3],
  [0.8, 1.1, 0.5, 100, 99.7, 0],
  [0.5, 1.1, 0.2, 100, 100, 0],
  [1.5, 1.1, 0.2, 0.5, 0, 96.3],
  [2, 1.1, 0.2, 0, 0, 100],
  [0.7, 1, 0.5, 100, 99.8, 0],
];

/** Looks at the cost of one step every 20 of 1,600 tickets. Both intervals have a one-sided error of 5 %. */
export function costPeekingTable(runs: number): Table {
  return {
    title: "Cost with a look every 20 of 1,600 tickets",
    columns: ["fixed z: cheap", "sequence: cheap", "sequence: dear"],
    rows: peekingRows.map(([ratio, limit, share, fixed, cheap, dear]) => {
      const found = Array.from({ length: runs }, (_, run) => peek({ ratio, limit, share }, createRandom(run * 7919 + 5)));
      return {
        label: `ratio ${ratio}, limit ${limit}, share ${100 * share} %`,
        cells: [
          shareCell(found, (one) => one.fixedCheap, percentOf(fixed)),
          shareCell(found, (one) => one.cheap, percentOf(cheap)),
          shareCell(found, (one) => one.dear, percentOf(dear)),
        ],
      };
    }),
  };
}

function peek({ ratio, limit, share }: { readonly ratio: number; readonly limit: number; readonly share: number }, random: Random) {
  const stratum = emptyStratum(0, share);
  const found = { fixedCheap: false, cheap: false, dear: false };
  for (let ticket = 1; ticket <= 1600; ticket += 1) {
    const arm = random() < share ? "canary" : "baseline";
    countTicket(stratum, arm, { quality: 1, costMicroUsd: drawCost(random) * (arm === "canary" ? ratio : 1) });
    if (ticket % 20 !== 0) continue;
    const cost = compareCost([stratum], { plannedTickets: 600, costLimit: limit });
    if (cost.kind !== "compared") continue;
    const error = Math.sqrt(relativeVariance(stratum.canary) + relativeVariance(stratum.baseline));
    found.fixedCheap ||= cost.logRatio + z95 * error < Math.log(limit);
    found.cheap ||= cost.logRatio + cost.halfWidthDear < Math.log(limit);
    found.dear ||= cost.shownDear;
  }
  return found;
}

const steps = [
  { share: 0.05, tickets: 600 },
  { share: 0.1, tickets: 300 },
  { share: 0.25, tickets: 200 },
  { share: 0.5, tickets: 500 },
];
const costLimit = 1.1;

/** True ratio, factor on both arms' cost in the later two steps, and the counts of 600 reference runs: dear and cheap, pooled, by inverse variance, standardized. */
const driftRows: readonly (readonly [number, number, readonly [number, number], readonly [number, number], readonly [number, number]])[] = [
  [1.1, 1, [2, 52], [12, 97], [2, 48]],
  [1.1, 3, [563, 37], [12, 97], [5, 64]],
  [1.1, 0.33, [1, 596], [12, 97], [0, 35]],
  [1, 3, [514, 82], [2, 218], [0, 171]],
  [1, 0.33, [0, 600], [2, 218], [1, 115]],
  [0.6, 3, [0, 554], [0, 600], [0, 600]],
  [0.6, 0.33, [0, 600], [0, 600], [0, 597]],
  [1.5, 1, [571, 0], [524, 3], [548, 1]],
  [1.5, 0.33, [160, 341], [524, 3], [459, 0]],
  [2, 0.33, [537, 3], [600, 0], [599, 0]],
  [2, 3, [600, 0], [600, 0], [600, 0]],
];

type Verdict = "dear" | "cheap" | "open";
type Judge = (strata: readonly CountingStratum[]) => Verdict;

/** Costs of both arms change while the share grows; three ways to compare them on the same tickets, each with errors of 5 %, and the product's own with 2 % for cheap. */
export function costDriftTable(runs: number): Table {
  return {
    title: "Cost through a growing share, limit 1.1",
    columns: ["pooled: dear", "cheap", "inverse variance: dear", "cheap", "standardized: dear", "cheap", "as decided: dear", "cheap"],
    rows: driftRows.map(([ratio, later, ...references]) => ({
      label: `ratio ${ratio}, later cost × ${later}`,
      cells: [judgePooled, judgeByInverseVariance, judgeStandardized, judgeAsDecided].flatMap((judge, index): readonly Cell[] => {
        const found = Array.from({ length: runs }, (_, run) =>
          driftOnce({ ratio, later, quality: 1 }, judge, createRandom(99 + run * 104_729)),
        );
        const reference = references[index];
        return (["dear", "cheap"] as const).map((verdict, at) =>
          shareCell(found, (one) => one === verdict, reference && { share: (reference[at] ?? 0) / referenceRuns, runs: referenceRuns }),
        );
      }),
    })),
  };
}

/** The same where one ticket of five fails and a failed ticket costs twice as much: the ratio is per success. */
export function costPerSuccessTable(runs: number): Table {
  const truths = [
    [1.1, 1, 0],
    [1.1, 3, 0],
    [1.1, 0.33, 0],
    [1.1, 1, -0.1],
    [1, 1, 0],
    [2, 1, 0],
  ] as const;
  return {
    title: "Cost per success, limit 1.1: 80 % succeed, a failure costs twice as much",
    columns: ["as decided: dear", "cheap"],
    rows: truths.map(([ratio, later, gap]) => {
      const found = Array.from({ length: runs }, (_, run) =>
        driftOnce({ ratio, later, quality: 0.8, gap }, judgeAsDecided, createRandom(7 + run * 104_729)),
      );
      return {
        label: `ratio ${ratio}, later cost × ${later}${gap === 0 ? "" : `, success ${100 * (0.8 + gap)} %`}`,
        cells: [shareCell(found, (one) => one === "dear"), shareCell(found, (one) => one === "cheap")],
      };
    }),
  };
}

function driftOnce(
  { ratio, later, quality, gap = 0 }: { readonly ratio: number; readonly later: number; readonly quality: number; readonly gap?: number },
  judge: Judge,
  random: Random,
): Verdict {
  const strata = steps.map(({ share }, step) => emptyStratum(step, share));
  // A failure costs twice as much, so that a success costs (1 + failures)/successes; the canary's factor keeps the ratio per success.
  const perSuccess = (success: number) => (2 - success) / success;
  const factor = (ratio * perSuccess(quality)) / perSuccess(quality + gap);
  let tickets = 0;
  for (const [step, stratum] of strata.entries()) {
    for (let ticket = 0; ticket < (steps[step]?.tickets ?? 0); ticket += 1) {
      const arm = random() < stratum.share ? "canary" : "baseline";
      const succeeds = quality === 1 || random() < (arm === "canary" ? quality + gap : quality);
      const costMicroUsd = drawCost(random) * (succeeds ? 1 : 2) * (arm === "canary" ? factor : 1) * (step < 2 ? 1 : later);
      countTicket(stratum, arm, { quality: succeeds ? 1 : 0, costMicroUsd });
      tickets += 1;
      if (tickets % 20 !== 0) continue;
      const verdict = judge(strata);
      if (verdict !== "open") return verdict;
    }
  }
  return "open";
}

const policy = { plannedTickets: 600, costLimit };

function judgeAsDecided(strata: readonly CountingStratum[]): Verdict {
  const cost = compareCost(strata, policy);
  if (cost.kind !== "compared") return "open";
  return cost.shownDear ? "dear" : cost.shownCheap ? "cheap" : "open";
}

function judgeStandardized(strata: readonly CountingStratum[]): Verdict {
  const cost = compareCost(strata, policy);
  return cost.kind === "compared" ? verdictOf(cost.logRatio, cost.halfWidthDear) : "open";
}

function judgePooled(strata: readonly CountingStratum[]): Verdict {
  const pooled = emptyStratum(0, 0.5);
  for (const stratum of strata)
    for (const arm of ["canary", "baseline"] as const)
      for (const field of ["ended", "quality", "qualitySquares", "costMicroUsd", "costSquares", "costQuality"] as const)
        pooled[arm][field] += stratum[arm][field];
  const cost = compareCost([pooled], policy);
  return cost.kind === "compared" ? verdictOf(cost.logRatio, cost.halfWidthDear) : "open";
}

function judgeByInverseVariance(strata: readonly CountingStratum[]): Verdict {
  const canaryTickets = strata.reduce((sum, { canary }) => sum + canary.ended, 0);
  const tickets = strata.reduce((sum, { canary, baseline }) => sum + canary.ended + baseline.ended, 0);
  let [weights, weighted] = [0, 0];
  for (const { canary, baseline } of strata) {
    if (canary.ended < 5 || baseline.ended < 5) continue;
    const weight = 1 / (relativeVariance(canary) + relativeVariance(baseline));
    weights += weight;
    weighted += weight * Math.log(canary.costMicroUsd / canary.ended / (baseline.costMicroUsd / baseline.ended));
  }
  return canaryTickets < 30 || weights === 0
    ? "open"
    : verdictOf(weighted / weights, Math.sqrt(tickets / weights) * sequenceFactor(tickets, 600, 0.05));
}

function verdictOf(logRatio: number, halfWidth: number): Verdict {
  if (logRatio - halfWidth > Math.log(costLimit)) return "dear";
  return logRatio + halfWidth < Math.log(costLimit) ? "cheap" : "open";
}
