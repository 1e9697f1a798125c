import { createRandom, type Random } from "../../src/core/random.ts";
import { shareAt } from "../../src/llm/rollouts/rollout.ts";
import { decideSequentially } from "../../src/llm/rollouts/sequential-decision.ts";
import { type SimulatedTruth, simulateRollout } from "../../src/llm/rollouts/simulate-rollout.ts";
import { medianCell, shareCell, type Table } from "./compare-table.ts";
import { rampPlan, truthOf } from "./ramp-table.ts";

/** How one run of a rule ended, and what the canary's tickets cost in failures. */
export interface RuleEnd {
  readonly end: "finish" | "roll_back" | "hold";
  readonly tickets: number;
  readonly canaryTickets: number;
  readonly canaryFailures: number;
}

/** A rule draws two numbers for each ticket, its arm first and its outcome then, so that every rule meets the same tickets. */
type Rule = (truth: SimulatedTruth, random: Random) => RuleEnd;

const plan = rampPlan([0.05, 0.1, 0.25, 0.5, 1]);
const checkEvery = 5;

/** The rules that are compared. */
export const rolloutRules = {
  /** The product's. */
  "by step": (truth, random) => simulateRollout(plan, truth, { random, ticketsPerDay: 50, checkEvery }),
  /** The same steps, harm budget and interval, with arms that are added up over the steps. */
  pooled: runPooled,
  /** Thompson sampling over success counts, ended when one arm is the better one with 95 %. */
  "best arm": runBestArm,
} as const satisfies Readonly<Record<string, Rule>>;

const truths = [
  { label: "equal", baseline: 0.8, gap: 0 },
  { label: "worse by 10 points", baseline: 0.8, gap: -0.1 },
  { label: "worse by 20 points", baseline: 0.8, gap: -0.2 },
  { label: "equal, both fall from 90 to 70 %", baseline: 0.9, gap: 0, later: -0.2 },
  { label: "worse by 10 points, both rise by 20", baseline: 0.7, gap: -0.1, later: 0.2 },
  { label: "worse by 10 points, both fall by 20", baseline: 0.9, gap: -0.1, later: -0.2 },
] as const;

/** Runs of every rule on the same tickets, by truth. */
export function runRules(runs: number): readonly {
  readonly label: string;
  readonly gap: number;
  readonly ends: Readonly<Record<keyof typeof rolloutRules, readonly RuleEnd[]>>;
}[] {
  return truths.map((truth, row) => {
    const run = (rule: Rule) =>
      Array.from({ length: runs }, (_, index) => rule(truthOf(truth), createRandom(1 + row * 1_000_003 + index * 7919)));
    return {
      label: truth.label,
      gap: truth.gap,
      ends: { "by step": run(rolloutRules["by step"]), pooled: run(rolloutRules.pooled), "best arm": run(rolloutRules["best arm"]) },
    };
  });
}

/** Harm and error of three rules: how each ends, and how many tickets the canary had and failed until then. */
export function ruleTable(runs: number): Table {
  return {
    title: "Three rules on the same tickets",
    columns: ["promoted", "taken back", "median tickets", "median canary tickets", "median canary failures"],
    rows: runRules(runs).flatMap(({ label, ends }) =>
      Object.entries(ends).map(([rule, list]) => ({
        label: `${label}: ${rule}`,
        cells: [
          shareCell(list, ({ end }) => end === "finish"),
          shareCell(list, ({ end }) => end === "roll_back"),
          medianCell(list.map(({ tickets }) => tickets)),
          medianCell(list.map(({ canaryTickets }) => canaryTickets)),
          medianCell(list.map(({ canaryFailures }) => canaryFailures)),
        ],
      })),
    ),
  };
}

/** Both arms while they grow. */
interface Arms {
  readonly canary: { tickets: number; successes: number };
  readonly baseline: { tickets: number; successes: number };
}

function drawTicket(
  arms: Arms,
  expected: ReturnType<SimulatedTruth>,
  { share, random }: { readonly share: number; readonly random: Random },
): void {
  const arm = random() < share ? "canary" : "baseline";
  arms[arm].tickets += 1;
  if (random() < expected[arm]) arms[arm].successes += 1;
}

function endOf(end: RuleEnd["end"], { canary, baseline }: Arms): RuleEnd {
  return {
    end,
    tickets: canary.tickets + baseline.tickets,
    canaryTickets: canary.tickets,
    canaryFailures: canary.tickets - canary.successes,
  };
}

function runPooled(truth: SimulatedTruth, random: Random): RuleEnd {
  const arms: Arms = { canary: { tickets: 0, successes: 0 }, baseline: { tickets: 0, successes: 0 } };
  let [step, before] = [0, 0];
  for (let ticket = 1; ticket <= plan.maxTickets; ticket += 1) {
    drawTicket(arms, truth(ticket), { share: shareAt(plan, step), random });
    if (ticket % checkEvery !== 0) continue;
    const { decision, difference, halfWidth } = decideSequentially(arms.canary, arms.baseline, {
      margin: 1,
      planned: plan.plannedTickets,
      most: plan.maxTickets,
    });
    if (decision === "rollback") return endOf("roll_back", arms);
    if (arms.canary.tickets < 30 || arms.baseline.tickets < 30 || arms.canary.tickets - before < plan.minPerStep) continue;
    const isLast = step === plan.steps.length - 1;
    if ((isLast ? 1 : (plan.steps[step + 1] ?? 1)) * Math.max(0, halfWidth - difference) > plan.margin) continue;
    if (isLast) return endOf("finish", arms);
    step += 1;
    before = arms.canary.tickets;
  }
  return endOf("hold", arms);
}

function runBestArm(truth: SimulatedTruth, random: Random): RuleEnd {
  const arms: Arms = { canary: { tickets: 0, successes: 0 }, baseline: { tickets: 0, successes: 0 } };
  for (let ticket = 1; ticket <= plan.maxTickets; ticket += 1) {
    const chance = chanceOfBetter(arms);
    drawTicket(arms, truth(ticket), { share: chance, random });
    if (ticket % checkEvery !== 0 || arms.canary.tickets < 30 || arms.baseline.tickets < 30) continue;
    if (chance > 0.95) return endOf("finish", arms);
    if (chance < 0.05) return endOf("roll_back", arms);
  }
  return endOf("hold", arms);
}

/** Chance that the canary's success ratio is the larger one: two beta posteriors, by the normal distribution. */
function chanceOfBetter({ canary, baseline }: Arms): number {
  const posterior = ({ tickets, successes }: Arms["canary"]) => {
    const mean = (successes + 1) / (tickets + 2);
    return { mean, variance: (mean * (1 - mean)) / (tickets + 3) };
  };
  const [one, other] = [posterior(canary), posterior(baseline)];
  return normalShare((one.mean - other.mean) / Math.sqrt(one.variance + other.variance));
}

/** Standard normal distribution function, within 8e-8: M. Abramowitz, I. A. Stegun, Handbook of Mathematical Functions, 26.2.17. */
function normalShare(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z > 0 ? 1 - tail : tail;
}
