import { type RolloutPlan, rolloutPlanSchema } from "../../packages/sdk/src/wire/rollouts.ts";
import { createRandom } from "../../src/core/random.ts";
import { type SimulatedRollout, type SimulatedTruth, simulateRollout } from "../../src/llm/rollouts/simulate-rollout.ts";
import { type Cell, medianCell, shareCell, type Table } from "./compare-table.ts";

/** Runs of the reference. */
const referenceRuns = 1000;

/** Success of the baseline, what the canary adds to it, and what both gain after 700 tickets. */
interface Truth {
  readonly label: string;
  readonly baseline: number;
  readonly gap: number;
  readonly later?: number;
}

interface ReferenceRow extends Truth {
  /** Percent promoted and taken back; median tickets of the runs with the usual end; median canary tickets of all. */
  readonly careful: readonly [promoted: number, takenBack: number, tickets: number | undefined, canary: number];
  readonly quick?: readonly [promoted: number, takenBack: number, tickets: number | undefined];
}

const rows: readonly ReferenceRow[] = [
  { label: "equal", baseline: 0.8, gap: 0, careful: [95.2, 4.4, 1255, 199], quick: [96.4, 3.6, 510] },
  { label: "better by 5 points", baseline: 0.8, gap: 0.05, careful: [99.6, 0.4, 1125, 155], quick: [99.3, 0.7, 280] },
  {
    label: "worse by 10 points, the margin",
    baseline: 0.8,
    gap: -0.1,
    careful: [1.1, 98.8, undefined, 142],
    quick: [2.1, 97.7, undefined],
  },
  { label: "worse by 20 points", baseline: 0.8, gap: -0.2, careful: [0, 100, 525, 26], quick: [0, 100, 150] },
  { label: "worse by 60 points", baseline: 0.8, gap: -0.6, careful: [0, 100, 195, 10], quick: [0, 100, 50] },
  { label: "equal, both fall from 90 to 70 %", baseline: 0.9, gap: 0, later: -0.2, careful: [95.9, 3.3, undefined, 200] },
  { label: "worse by 10 points, both rise by 20", baseline: 0.7, gap: -0.1, later: 0.2, careful: [1.3, 98.5, undefined, 153] },
];

/** The plan of the simulations: a step needs 30 canary tickets and no time. */
export function rampPlan(steps: readonly number[]): RolloutPlan {
  return rolloutPlanSchema.parse({ steps, intervalMs: 1, deadlineMs: 1, lagMs: 0 });
}

/** The success ratios of both arms, kept within 1 and 99 %. */
export function truthOf({ baseline, gap, later = 0 }: Omit<Truth, "label">): SimulatedTruth {
  return (ticket) => {
    const both = Math.min(0.99, Math.max(0.01, baseline + (ticket > 700 ? later : 0)));
    return { baseline: both, canary: Math.max(0.01, both + gap) };
  };
}

/** Five steps, from 5 to 100 %. Success 80 %, a check every 5 tickets. */
export function carefulRampTable(runs: number): Table {
  return rampTable([0.05, 0.1, 0.25, 0.5, 1], { runs, seed: 4243, references: rows.map(({ careful }) => careful) });
}

/** Three steps, from 20 to 100 %. */
export function quickRampTable(runs: number): Table {
  return rampTable([0.2, 0.5, 1], { runs, seed: 5243, references: rows.map(({ quick }) => quick) });
}

type Reference = readonly [promoted: number, takenBack: number, tickets: number | undefined, canary?: number];

function rampTable(
  steps: readonly number[],
  { runs, seed, references }: { readonly runs: number; readonly seed: number; readonly references: readonly (Reference | undefined)[] },
): Table {
  return {
    title: `Shares ${steps.map((share) => 100 * share).join(", ")} %`,
    columns: ["promoted", "taken back", "median tickets", "median canary tickets"],
    rows: rows.flatMap((row, index) => {
      const reference = references[index];
      if (reference === undefined) return [];
      const random = createRandom(seed + index);
      const plan = rampPlan(steps);
      const ends = Array.from({ length: runs }, () => simulateRollout(plan, truthOf(row), { random, ticketsPerDay: 50, checkEvery: 5 }));
      return [{ label: row.label, cells: cellsOf(ends, reference) }];
    }),
  };
}

function cellsOf(ends: readonly SimulatedRollout[], [promoted, takenBack, tickets, canary]: Reference): readonly Cell[] {
  const of = (percent: number) => ({ share: percent / 100, runs: referenceRuns });
  const usual = promoted > 50 ? "finish" : "roll_back";
  return [
    shareCell(ends, ({ end }) => end === "finish", of(promoted)),
    shareCell(ends, ({ end }) => end === "roll_back", of(takenBack)),
    medianCell(
      ends.filter(({ end }) => end === usual).map((one) => one.tickets),
      tickets,
    ),
    medianCell(
      ends.map(({ canaryTickets }) => canaryTickets),
      canary,
    ),
  ];
}
