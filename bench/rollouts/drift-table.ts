import type { RolloutStratum } from "../../packages/sdk/src/wire/rollouts.ts";
import { createRandom, type Random } from "../../src/core/random.ts";
import { judgeRollout } from "../../src/llm/rollouts/judge-rollout.ts";
import { type CountingArm, countExposure, countOutcome, createArmCounts } from "../../src/llm/rollouts/recount-rollout.ts";
import { decideSequentially } from "../../src/llm/rollouts/sequential-decision.ts";
import { shareCell, type Table } from "./compare-table.ts";

/** Tickets of each step, whatever is shown: only the decision differs. */
const steps = [
  { share: 0.05, tickets: 700 },
  { share: 0.1, tickets: 350 },
  { share: 0.25, tickets: 200 },
  { share: 0.5, tickets: 400 },
];
const policy = { margin: 0.1, planned: 600, most: 1650 };

type End = "rollback" | "promote" | "hold";

/** Success in the first two steps and in the others, what the canary adds, and of 1,000 reference runs: taken back and promoted, pooled and by step. */
const rows: readonly (readonly [string, number, number, number, readonly [number, number], readonly [number, number]])[] = [
  ["equal", 0.9, 0.9, 0, [17, 975], [5, 959]],
  ["equal, both fall from 90 to 70 %", 0.9, 0.7, 0, [900, 91], [8, 878]],
  ["equal, both fall from 95 to 60 %", 0.95, 0.6, 0, [1000, 0], [8, 930]],
  ["equal, both rise from 70 to 90 %", 0.7, 0.9, 0, [23, 977], [15, 846]],
  ["worse by 10 points, both rise from 70 to 90 %", 0.7, 0.9, -0.1, [244, 699], [769, 31]],
  ["worse by 10 points, both rise from 60 to 95 %", 0.6, 0.95, -0.1, [243, 757], [816, 20]],
  ["worse by 10 points", 0.9, 0.9, -0.1, [957, 19], [878, 28]],
  ["worse by 20 points", 0.9, 0.9, -0.2, [1000, 0], [1000, 0]],
];

/** Compares arms that are added up over steps with arms that are compared within each step, on the same tickets. */
export function driftTable(runs: number): Table {
  const seeds = Array.from({ length: runs }, (_, run) => run * 7919 + 17);
  const of = (count: number) => ({ share: count / 1000, runs: 1000 });
  return {
    title: "Arms pooled over steps, and compared within each step",
    columns: ["pooled: taken back", "pooled: promoted", "by step: taken back", "by step: promoted"],
    rows: rows.map(([label, first, later, gap, pooled, byStep]) => {
      const ends = (decide: Decide) => seeds.map((seed) => runOnce({ first, later, gap }, decide, createRandom(seed)));
      const [pooledEnds, stepEnds] = [ends(decidePooled), ends(decideByStep)];
      const cells = (list: readonly End[], [takenBack, promoted]: readonly [number, number]) => [
        shareCell(list, (end) => end === "rollback", of(takenBack)),
        shareCell(list, (end) => end === "promote", of(promoted)),
      ];
      return { label, cells: [...cells(pooledEnds, pooled), ...cells(stepEnds, byStep)] };
    }),
  };
}

type Strata = readonly (RolloutStratum & { readonly canary: CountingArm; readonly baseline: CountingArm })[];
type Decide = (strata: Strata) => End | "continue";

/** A promotion does not end a run, as tickets keep coming. */
function runOnce(
  { first, later, gap }: { readonly first: number; readonly later: number; readonly gap: number },
  decide: Decide,
  random: Random,
): End {
  const strata = steps.map(({ share }, step) => ({ step, share, canary: createArmCounts(), baseline: createArmCounts() }));
  let [tickets, promoted] = [0, false];
  for (const [step, stratum] of strata.entries()) {
    const success = step < 2 ? first : later;
    for (let ticket = 0; ticket < (steps[step]?.tickets ?? 0); ticket += 1) {
      const arm = random() < stratum.share ? "canary" : "baseline";
      countExposure(stratum[arm]);
      countOutcome(stratum[arm], { quality: random() < (arm === "canary" ? success + gap : success) ? 1 : 0, costMicroUsd: 0 });
      tickets += 1;
      if (tickets % 20 !== 0) continue;
      const decision = decide(strata);
      if (decision === "rollback") return decision;
      promoted ||= decision === "promote";
    }
  }
  return promoted ? "promote" : "hold";
}

function decidePooled(strata: Strata): End | "continue" {
  const sum = (arm: "canary" | "baseline") => ({
    tickets: strata.reduce((total, stratum) => total + stratum[arm].ended, 0),
    successes: strata.reduce((total, stratum) => total + stratum[arm].quality, 0),
  });
  return decideSequentially(sum("canary"), sum("baseline"), policy).decision;
}

function decideByStep(strata: Strata): End | "continue" {
  const { quality, sufficient } = judgeRollout(strata, { plannedTickets: policy.planned, costLimit: null });
  if (!sufficient || quality === null) return "continue";
  if (quality.shownWorse) return "rollback";
  return quality.difference - quality.halfWidth > -policy.margin ? "promote" : "continue";
}
