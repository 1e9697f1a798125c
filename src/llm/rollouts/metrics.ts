import type { ArmCounts, Rollout, RolloutSubject, RolloutVerdict } from "../../../packages/sdk/src/wire/rollouts.ts";
import type { Clock } from "../../core/clock.ts";
import { dayMs } from "../../core/duration.ts";
import { counter, gauge, type MetricRegistry } from "../../platform/telemetry/declare-metric.ts";
import type { Observing } from "../../platform/telemetry/exposition.ts";
import type { WorkloadLabels } from "../usage/metrics.ts";
import { nextRolloutMove } from "./next-rollout-move.ts";
import { type RolloutFactSource, readRolloutFacts } from "./read-rollout-facts.ts";
import { isLive, type RolloutStore, shareAt } from "./rollout.ts";

/** The metrics of rollouts. */
export type RolloutMetrics = ReturnType<typeof declareRolloutMetrics>;

/** Declares the metrics of rollouts in `registry`. `route` is empty for a rollout of something else. */
export function declareRolloutMetrics(registry: MetricRegistry) {
  return {
    rolloutDecision: gauge(registry, {
      name: "llm_rollout_decision",
      help: "1 for what the counts of a live rollout say now, 0 for the other decisions; guards are not asked.",
      labels: ["rollout", "route", "decision"],
    }),
    rolloutSampleRatio: gauge(registry, {
      name: "llm_rollout_srm_p_value",
      help: "How well the tickets of a live rollout are split as its shares say; tiny means that they are not.",
      labels: ["rollout", "route"],
    }),
    rolloutStep: gauge(registry, {
      name: "llm_rollout_step_ratio",
      help: "Share of new tickets that the rollout gives to the canary.",
      labels: ["rollout", "route"],
    }),
    rolloutEffect: gauge(registry, {
      name: "llm_rollout_effect",
      help: "Canary against baseline: difference of quality, ratio of cost per success, each with its bounds and limit. Absent: not known.",
      labels: ["rollout", "route", "metric", "bound"],
    }),
    rolloutTickets: gauge(registry, {
      name: "llm_rollout_tickets",
      help: "Tickets that the rollout has counted.",
      labels: ["rollout", "route", "arm", "state"],
    }),
    rolloutMisassigned: counter(registry, {
      name: "llm_rollout_misassigned_total",
      help: "Tickets in an arm that the hash of salt and id forbids; they are not in the verdict.",
      labels: ["rollout", "route"],
    }),
    rolloutUnknown: counter(registry, {
      name: "llm_rollout_unknown_total",
      help: "Assignments to rollouts that do not exist; they were ignored.",
    }),
  };
}

const decisions = ["advance", "stay", "hold", "roll_back", "finish", "ask"] as const;

/** Rollouts that have series at most, so that their labels are bounded: the live ones, and those that ended within a day. */
const maxShown = 20;

/** Fills the metrics of rollouts at every scrape from what is stored, so that every process shows the same. */
export function observeRollouts(
  metrics: Observing & RolloutMetrics & WorkloadLabels,
  store: Pick<RolloutStore, "list"> & RolloutFactSource,
  clock: Pick<Clock, "now">,
): void {
  const { rolloutDecision, rolloutSampleRatio, rolloutStep, rolloutEffect, rolloutTickets, rolloutMisassigned } = metrics;
  const observed = [rolloutDecision, rolloutSampleRatio, rolloutStep, rolloutEffect, rolloutTickets, rolloutMisassigned];

  const read = async (rollout: Rollout) => {
    const { facts, strata } = await readRolloutFacts(store, rollout, clock.now());
    return { rollout, facts, strata, verdict: facts.verdict };
  };
  type Shown = Awaited<ReturnType<typeof read>>;

  const showLive = ({ rollout, facts, verdict }: Shown, labels: RolloutLabels) => {
    const { accepted } = rollout;
    const { kind } = nextRolloutMove(rollout, { ...facts, guard: { kind: "clear" } });
    for (const decision of decisions) rolloutDecision.set({ ...labels, decision }, decision === kind ? 1 : 0);
    rolloutSampleRatio.set(labels, Math.min(1, Math.exp(Math.max(0, accepted?.logEvalue ?? 0) - verdict.split.logEvalue)));
  };
  const showEffect = ({ rollout: { plan }, verdict }: Shown, labels: RolloutLabels) => {
    for (const [metric, bounds] of Object.entries(effectsOf(verdict, plan)))
      for (const [bound, value] of Object.entries(bounds)) rolloutEffect.set({ ...labels, metric, bound }, value);
  };
  const showTickets = ({ strata }: Shown, labels: RolloutLabels) => {
    for (const arm of ["canary", "baseline"] as const)
      for (const [state, count] of Object.entries(countStates(strata.map((stratum) => stratum[arm]))))
        rolloutTickets.set({ ...labels, arm, state }, count);
  };

  metrics.observe(observed, async () => {
    const shown = (await store.list()).filter(({ endedAt }) => endedAt === undefined || endedAt > clock.now() - dayMs).slice(0, maxShown);
    const all = await Promise.all(shown.map(read));
    for (const each of observed) each.reset();
    for (const one of all) {
      const { rollout } = one;
      const labels = { rollout: rollout.id, route: routeOf(rollout.subject, metrics) };
      rolloutStep.set(labels, isLive(rollout) ? shareAt(rollout.plan, rollout.step) : 0);
      rolloutMisassigned.inc(labels, one.facts.misassigned);
      if (isLive(rollout)) showLive(one, labels);
      showEffect(one, labels);
      showTickets(one, labels);
    }
  });
}

interface RolloutLabels {
  readonly rollout: string;
  readonly route: string;
}

function routeOf(subject: RolloutSubject, { label }: WorkloadLabels): string {
  return subject.kind === "model" ? label.prompt(subject.route) : "";
}

/** What is known of the effect, by metric and bound. Quality as a difference of 0 to 1, cost per success as a ratio. */
function effectsOf(
  { quality, cost }: RolloutVerdict,
  { margin, costLimit }: Rollout["plan"],
): Readonly<Record<"quality" | "cost", Readonly<Record<string, number>>>> {
  return {
    quality: {
      ...(quality !== null && {
        lower: quality.difference - quality.halfWidth,
        estimate: quality.difference,
        upper: quality.difference + quality.halfWidth,
      }),
      limit: -margin,
    },
    cost: {
      ...(cost.kind === "compared" && {
        lower: Math.exp(cost.logRatio - cost.halfWidthDear),
        estimate: Math.exp(cost.logRatio),
        upper: Math.exp(cost.logRatio + cost.halfWidthCheap),
      }),
      ...(costLimit !== null && { limit: costLimit }),
    },
  };
}

function countStates(arms: readonly ArmCounts[]): Readonly<Record<"open" | "succeeded" | "failed" | "overdue" | "cancelled", number>> {
  const sum = (field: "exposed" | "ended" | "succeeded" | "overdue" | "cancelled") =>
    arms.reduce((total, arm) => total + (arm[field] ?? 0), 0);
  const [exposed, ended, succeeded, overdue, cancelled] = [
    sum("exposed"),
    sum("ended"),
    sum("succeeded"),
    sum("overdue"),
    sum("cancelled"),
  ];
  return { open: exposed - ended - cancelled, succeeded, failed: ended - succeeded - overdue, overdue, cancelled };
}
