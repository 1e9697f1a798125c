import type { Instant } from "../../src/core/clock.ts";
import { formatUsd } from "../../src/core/money.ts";
import { formatShare } from "../../src/core/share.ts";
import type { Gauge, ShownMilestone } from "../demo-view.ts";
import type { BudgetView } from "../runbookd-api.ts";
import type { CostPlan } from "./cost-plan.ts";
import { milestones, type Observations } from "./timeline.ts";

const doing: { readonly [Key in keyof Observations]?: string } = {
  alertFiringAt: "the one-hour window fills with storm",
  resumedAt: "the 30-minute burn must fall below 1.2x first",
  verifiedAt: "25 %, 50 %, 100 % of the limited concurrency, each watched for 15 minutes divided",
};

/** What is being done while the next stage is waited for. */
export function doingNow(observations: Observations): string {
  const next = milestones.find(({ key }) => observations[key] === undefined)?.key;
  return (next === undefined ? undefined : doing[next]) ?? "";
}

/** The stages with what was seen of each. */
export function milestonesShown(
  observations: Observations,
  { mailedTo, workerKilled }: { readonly mailedTo: string; readonly workerKilled: boolean },
): readonly ShownMilestone[] {
  const details: { readonly [Key in keyof Observations]?: string | undefined } = {
    stormAt: "release 1.5.0 refuses every plan of prompt implement",
    acceptedAt: observations.run === undefined ? undefined : `run ${observations.run}`,
    culpritAt:
      observations.culprit === undefined ? undefined : `prompt ${observations.culprit.prompt}, operation ${observations.culprit.operation}`,
    reportSentAt: observations.reportSentAt === undefined ? undefined : `to ${mailedTo}`,
    firstEffectAt: workerKilled ? "worker killed and started again afterwards" : undefined,
  };
  return milestones.map(({ key, label }) => {
    const at = observations[key];
    return { key, label, reached: typeof at === "number" ? at : at !== undefined, detail: details[key] };
  });
}

/** Money, burn and tickets. */
export function figuresShown(now: {
  readonly plan: CostPlan;
  readonly budget: BudgetView | undefined;
  readonly burn: number | undefined;
  readonly finished: number;
  readonly beganAt: Instant;
  readonly at: Instant;
}): readonly Gauge[] {
  const { plan, budget, burn, finished, beganAt, at } = now;
  if (budget === undefined) return [{ label: "Tickets", text: `${finished} finished` }];
  const { limitMicroUsd } = budget.budget;
  const share = limitMicroUsd === 0 ? 0 : budget.spentMicroUsd / limitMicroUsd;
  const tone = burn !== undefined && burn > plan.threshold ? "red" : "green";
  const planned = (budget.allowanceMicroUsdPerSecond * (at - beganAt)) / 1000;
  const closed = budget.controls.gate === "paused";
  return [
    {
      label: "Budget",
      share,
      tone,
      text: `${formatUsd(budget.spentMicroUsd)} of ${formatUsd(limitMicroUsd)} (${formatShare(share, { decimals: 1 })}), plan so far ${formatUsd(planned)}`,
    },
    {
      label: "Burn",
      share: (burn ?? 0) / (plan.threshold * 3),
      tone,
      text: `${burn === undefined ? "no data yet" : `${burn.toFixed(1)}× plan`}, the alert needs ${plan.threshold}×`,
    },
    {
      label: "Tickets",
      ...(closed && { tone: "yellow" }),
      text: `${finished} finished, ${budget.running} in flight, ${budget.queued} waiting; gate ${closed ? "closed" : "open"}`,
    },
  ];
}
