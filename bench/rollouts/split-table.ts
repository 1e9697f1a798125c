import { createRandom, type Random } from "../../src/core/random.ts";
import { splitEvidence } from "../../src/llm/rollouts/split-evidence.ts";
import { medianCell, shareCell, type Table } from "./compare-table.ts";

const broken = Math.log(1000);
/** The square of the normal quantile for a two-sided 0.1 %. */
const chiSquare = 10.8276;
const tickets = 4000;

/** Configured share, actual share, and of 1,000 reference runs: percent and median tickets of a χ² test at each look, and of the e-value. */
const rows: readonly (readonly [number, number, readonly [number, number?], readonly [number, number?]])[] = [
  [0.1, 0.1, [2.3], [0]],
  [0.5, 0.5, [1.8], [0]],
  [0.05, 0.05, [1.8], [0]],
  [0.1, 0.08, [90.3, 1822], [67.3, 2643]],
  [0.5, 0.4, [100, 219], [100, 494]],
  [0.25, 0.2, [100, 677], [100, 1212]],
  [0.1, 0.05, [100, 343], [100, 581]],
  [0.1, 0, [100, 98], [100, 205]],
];

const of = (percent: number) => ({ share: percent / 100, runs: 1000 });
const isFound = (ticket: number | undefined) => ticket !== undefined;
const found = (list: readonly (number | undefined)[]) => list.filter((ticket) => ticket !== undefined);

/** A χ² test and the e-value, both at every one of 4,000 tickets. */
export function splitTable(runs: number): Table {
  return {
    title: "Split of the tickets, a look at every one of 4,000",
    columns: ["χ² < 0.001: found", "median tickets", "e > 1000: found", "median tickets"],
    rows: rows.map(([share, actual, chi, evalue]) => {
      const ends = Array.from({ length: runs }, (_, run) => watchSplit({ share, actual }, createRandom(run * 104_729 + 3)));
      const [chiEnds, evalueEnds] = [ends.map((end) => end.chi), ends.map((end) => end.evalue)];
      return {
        label: `share ${share}, got ${actual}`,
        cells: [
          shareCell(chiEnds, isFound, of(chi[0])),
          medianCell(found(chiEnds), chi[1]),
          shareCell(evalueEnds, isFound, of(evalue[0])),
          medianCell(found(evalueEnds), evalue[1]),
        ],
      };
    }),
  };
}

function watchSplit({ share, actual }: { readonly share: number; readonly actual: number }, random: Random) {
  let [canary, chi, evalue]: [number, number | undefined, number | undefined] = [0, undefined, undefined];
  for (let ticket = 1; ticket <= tickets; ticket += 1) {
    if (random() < actual) canary += 1;
    if (ticket >= 50 && (canary - ticket * share) ** 2 / (ticket * share * (1 - share)) > chiSquare) chi ??= ticket;
    if (evalue === undefined && splitEvidence({ share, canary, baseline: ticket - canary }) > broken) evalue = ticket;
    if (chi !== undefined && evalue !== undefined) break;
  }
  return { chi, evalue };
}

/** The e-value over four steps of 1,000 tickets, of which the canary loses a part. */
export function splitOverStepsTable(runs: number): Table {
  const losses = [
    [0, 0],
    [0.2, 71, 3158],
    [0.4, 100, 1557],
  ] as const;
  return {
    title: "Split over shares 5, 10, 25, 50 %, 1,000 tickets each",
    columns: ["e > 1000: found", "median tickets"],
    rows: losses.map(([loss, percent, median]) => {
      const random = createRandom(7);
      const ends = Array.from({ length: runs }, () => watchSteps(loss, random));
      return { label: `canary loses ${100 * loss} %`, cells: [shareCell(ends, isFound, of(percent)), medianCell(found(ends), median)] };
    }),
  };
}

function watchSteps(loss: number, random: Random): number | undefined {
  let [before, counted, at]: [number, number, number | undefined] = [0, 0, undefined];
  for (const share of [0.05, 0.1, 0.25, 0.5]) {
    let [canary, baseline, logEvalue] = [0, 0, 0];
    for (let ticket = 0; ticket < 1000; ticket += 1) {
      const isCanary = random() < share;
      if (isCanary && random() < loss) continue;
      counted += 1;
      if (isCanary) canary += 1;
      else baseline += 1;
      logEvalue = splitEvidence({ share, canary, baseline });
      if (before + logEvalue > broken) at ??= counted;
    }
    before += logEvalue;
  }
  return at;
}
