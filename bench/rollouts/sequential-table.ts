import { createRandom, type Random } from "../../src/core/random.ts";
import { decideSequentially } from "../../src/llm/rollouts/sequential-decision.ts";
import { type Cell, medianCell, shareCell, type Table } from "./compare-table.ts";

const referenceRuns = 1500;
const z95 = 1.645;

interface Design {
  readonly share: number;
  readonly margin: number;
  readonly planned: number;
  readonly most: number;
  readonly lookEvery: number;
}

interface Ended {
  readonly decision: "promote" | "rollback" | "hold";
  readonly tickets: number;
}

type Bounds = (
  candidate: { readonly tickets: number; readonly successes: number },
  baseline: { readonly tickets: number; readonly successes: number },
) => { readonly difference: number; readonly halfWidth: number };

const even: Design = { share: 0.5, margin: 0.05, planned: 1500, most: 4000, lookEvery: 20 };
const small: Design = { share: 0.2, margin: 0.1, planned: 600, most: 2000, lookEvery: 10 };

/** Unset: the reference does not tell it. */
type Percent = number | undefined;

/** Success of the candidate, and percent of the reference: rollback and promotion by a z test at each look, by the sequence, and its median tickets. */
const evenRows: readonly (readonly [string, number, readonly [Percent, Percent?], readonly [Percent, Percent, number?]])[] = [
  ["equal", 0.8, [22.9], [2.7, 92.4, 1440]],
  ["worse by 5 points, the margin", 0.75, [undefined, 21.4], [undefined, 2.8, 1600]],
  ["worse by 10 points", 0.7, [96, 4], [100, undefined, 520]],
  ["worse by 20 points", 0.6, [99.7], [100, undefined, 200]],
  ["better by 3 points", 0.83, [undefined, 92.2], [undefined, 99.9, 640]],
];

const smallRows: readonly (readonly [string, number, readonly [Percent, Percent, number?]])[] = [
  ["equal", 0.8, [undefined, 95.8, 550]],
  ["worse by 10 points, the margin", 0.7, [undefined, 4.8]],
  ["worse by 20 points", 0.6, [undefined, undefined, 260]],
  ["worse by 30 points", 0.5, [undefined, undefined, 170]],
];

const of = (percent: number | undefined) => (percent === undefined ? undefined : { share: percent / 100, runs: referenceRuns });

function endsOf(design: Design, success: number, { runs, bounds }: { readonly runs: number; readonly bounds: Bounds }): readonly Ended[] {
  const random = createRandom(Math.round(1e6 * success) + design.lookEvery);
  return Array.from({ length: runs }, () => runOnce(design, success, { bounds, random }));
}

/** Half of the tickets: a z test at each look beside the sequence of intervals. Success of the baseline 80 %. */
export function zTestTable(runs: number): Table {
  return {
    title: "Half of the tickets, margin 5 points, a look every 20 of up to 4,000",
    columns: ["z test: rollback", "z test: promote", "sequence: rollback", "sequence: promote", "median tickets"],
    rows: evenRows.map(([label, success, naive, sequence]) => {
      const tested = endsOf(even, success, { runs, bounds: zBounds });
      const sequential = endsOf(even, success, { runs, bounds: sequenceBounds(even) });
      return {
        label,
        cells: [
          shareCell(tested, ({ decision }) => decision === "rollback", of(naive[0])),
          shareCell(tested, ({ decision }) => decision === "promote", of(naive[1])),
          ...sequenceCells(sequential, sequence),
        ],
      };
    }),
  };
}

/** A fifth of the tickets and a wide margin, as a small team has. */
export function smallTeamTable(runs: number): Table {
  return {
    title: "A fifth of the tickets, margin 10 points, a look every 10 of up to 2,000",
    columns: ["rollback", "promote", "median tickets"],
    rows: smallRows.map(([label, success, reference]) => ({
      label,
      cells: sequenceCells(endsOf(small, success, { runs, bounds: sequenceBounds(small) }), reference),
    })),
  };
}

function sequenceCells(ends: readonly Ended[], [takenBack, promoted, tickets]: readonly [Percent, Percent, number?]): readonly Cell[] {
  return [
    shareCell(ends, ({ decision }) => decision === "rollback", of(takenBack)),
    shareCell(ends, ({ decision }) => decision === "promote", of(promoted)),
    medianCell(
      ends.map((one) => one.tickets),
      tickets,
    ),
  ];
}

/** The interval of the product; the rule about catastrophes is left out, as the reference has none. */
function sequenceBounds({ margin, planned, most }: Design): Bounds {
  return (candidate, baseline) => decideSequentially(candidate, baseline, { margin, planned, most });
}

function zBounds(candidate: Parameters<Bounds>[0], baseline: Parameters<Bounds>[1]): ReturnType<Bounds> {
  const variance = ({ tickets, successes }: typeof candidate) => {
    const ratio = (successes + 0.5) / (tickets + 1);
    return (ratio * (1 - ratio)) / tickets;
  };
  return {
    difference: candidate.successes / candidate.tickets - baseline.successes / baseline.tickets,
    halfWidth: z95 * Math.sqrt(variance(candidate) + variance(baseline)),
  };
}

function runOnce(
  { share, margin, most, lookEvery }: Design,
  success: number,
  { bounds, random }: { readonly bounds: Bounds; readonly random: Random },
): Ended {
  const [candidate, baseline] = [
    { tickets: 0, successes: 0 },
    { tickets: 0, successes: 0 },
  ];
  for (let ticket = 1; ticket <= most; ticket += 1) {
    const isCandidate = random() < share;
    const arm = isCandidate ? candidate : baseline;
    arm.tickets += 1;
    if (random() < (isCandidate ? success : 0.8)) arm.successes += 1;
    if (ticket % lookEvery !== 0 || candidate.tickets < 30 || baseline.tickets < 30) continue;
    const { difference, halfWidth } = bounds(candidate, baseline);
    if (difference + halfWidth < 0) return { decision: "rollback", tickets: ticket };
    if (difference - halfWidth > -margin) return { decision: "promote", tickets: ticket };
  }
  return { decision: "hold", tickets: most };
}
