import { createRandom, type Random } from "../../src/core/random.ts";
import { evaluatePairs, type PairedTicket } from "../../src/llm/rollouts/paired-evaluation.ts";
import { shareCell, type Table } from "./compare-table.ts";

const logDeviation = Math.sqrt(Math.log(1 + 1.2 ** 2));

function drawCost(random: Random): number {
  return 1e5 * Math.exp(logDeviation * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()) - logDeviation ** 2 / 2);
}

/** 1, 0 or −1: who was better on one ticket. Both differ on 16 % of the tickets. */
function drawDifference(random: Random, gap: number): number {
  const drawn = random();
  const wins = (0.16 + gap) / 2;
  return drawn < wins ? 1 : drawn < 0.16 ? -1 : 0;
}

/** Pairs, and percent of 4,000 reference runs that show "no worse by 10 points": of an equal version, and of one that is worse by it. */
const qualityRows: readonly (readonly [number, number, number])[] = [
  [100, 79.8, 6.7],
  [150, 92.3, 6.4],
];

/** The plain t rule of the reference beside the product's, which is a little stricter. */
export function pairedQualityTable(runs: number): Table {
  return {
    title: "Paired tickets, margin 10 points, outcomes differ on 16 %",
    columns: ["t rule: equal passes", "t rule: worse passes", "as decided: equal passes", "as decided: worse passes"],
    rows: qualityRows.map(([pairs, power, error]) => {
      const draws = [0, -0.1].map((gap, index) => {
        const random = createRandom(pairs + index);
        return Array.from({ length: runs }, () => Array.from({ length: pairs }, () => drawDifference(random, gap)));
      });
      const cells = (passes: (differences: readonly number[]) => boolean, references: readonly number[]) =>
        draws.map((list, index) =>
          shareCell(list, passes, references[index] === undefined ? undefined : { share: references[index] / 100, runs: 4000 }),
        );
      return { label: `${pairs} pairs`, cells: [...cells(passesPlainRule, [power, error]), ...cells(passesProduct, [])] };
    }),
  };
}

function passesPlainRule(differences: readonly number[]): boolean {
  const mean = differences.reduce((sum, one) => sum + one, 0) / differences.length;
  const variance = differences.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (differences.length - 1);
  return mean - 1.66 * Math.sqrt(variance / differences.length) > -0.1;
}

function passesProduct(differences: readonly number[]): boolean {
  const pairs = differences.map((difference) => ({
    oldQuality: difference < 0 ? 1 : 0,
    newQuality: difference > 0 ? 1 : 0,
    oldCostMicroUsd: 0,
    newCostMicroUsd: 0,
  }));
  return evaluatePairs(pairs, { seed: "paired table" }).notWorse;
}

/** Pairs, and percent of 400 reference runs whose 95 % interval of the cost ratio, by percentile bootstrap, holds the true 0.8. */
const costRows: readonly (readonly [number, number])[] = [
  [50, 91.5],
  [100, 94.5],
];

/** Coverage of the bootstrap of the reference, and of the product's, which is wider below 100 pairs. */
export function pairedCostTable(runs: number): Table {
  return {
    title: "Cost ratio of paired tickets, 95 % interval by bootstrap",
    columns: ["percentile: covers", "as decided: covers"],
    rows: costRows.map(([count, coverage]) => {
      const random = createRandom(count);
      const draws = Array.from({ length: runs }, () =>
        Array.from(
          { length: count },
          (): PairedTicket => ({
            oldQuality: 1,
            newQuality: 1,
            oldCostMicroUsd: drawCost(random),
            newCostMicroUsd: 0.8 * drawCost(random),
          }),
        ),
      );
      return {
        label: `${count} pairs`,
        cells: [
          shareCell(draws, (pairs) => covers(bootstrap(pairs, random)), { share: coverage / 100, runs: 400 }),
          shareCell(draws, (pairs) => covers(evaluatePairs(pairs, { seed: "paired table" }).costRatio ?? { lower: 1, upper: 0 })),
        ],
      };
    }),
  };
}

function covers({ lower, upper }: { readonly lower: number; readonly upper: number }): boolean {
  return lower <= 0.8 && upper >= 0.8;
}

function bootstrap(pairs: readonly PairedTicket[], random: Random): { readonly lower: number; readonly upper: number } {
  const ratios = Float64Array.from({ length: 600 }, () => {
    let [before, after] = [0, 0];
    for (let draw = 0; draw < pairs.length; draw += 1) {
      const pair = pairs[Math.floor(random() * pairs.length)];
      before += pair?.oldCostMicroUsd ?? 0;
      after += pair?.newCostMicroUsd ?? 0;
    }
    return after / before;
  }).sort();
  return { lower: ratios[15] ?? 0, upper: ratios[584] ?? 0 };
}
