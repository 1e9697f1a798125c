import type { Rollout, RolloutDecision, RolloutSubject, RolloutSummary, RolloutView } from "../../packages/sdk/src/wire/rollouts.ts";
import { formatDuration } from "../core/duration.ts";
import { formatUsd } from "../core/money.ts";
import { oneLine } from "../core/one-line.ts";
import { formatShare } from "../core/share.ts";
import { formatModelRef } from "../llm/models/model-ref.ts";
import { shareAt } from "../llm/rollouts/rollout.ts";
import { renderTable } from "./context.ts";
import { formatInstant } from "./render-run.ts";

const width = 80;

/** What a rollout changes, e.g. `route implement: anthropic/old -> anthropic/new`. */
export function describeSubject(subject: RolloutSubject): string {
  switch (subject.kind) {
    case "model":
      return `route ${subject.route}: ${formatModelRef(subject.from)} -> ${formatModelRef(subject.to)}`;
    case "prompt":
      return `prompt ${subject.prompt}: version ${subject.from} -> ${subject.to}`;
    case "flag":
      return `flag ${subject.flag}: ${subject.from} -> ${subject.to}`;
  }
}

/** Where a rollout is, e.g. `running at step 2 of 5: 10 % of new tickets`. */
export function describeStep({ state, step, plan }: Pick<Rollout, "state" | "step" | "plan">): string {
  if (state === "planned") return "planned: no ticket gets anything new yet";
  if (state === "running" || state === "holding")
    return `${state} at step ${step + 1} of ${plan.steps.length}: ${formatShare(shareAt(plan, step))} of new tickets`;
  return `ended: ${state}`;
}

/** A list of rollouts as a table. */
export function renderRollouts(rollouts: readonly RolloutSummary[]): string {
  const rows = rollouts.map((rollout) => [
    rollout.id,
    describeSubject(rollout.subject),
    describeStep(rollout),
    formatInstant(rollout.endedAt ?? rollout.stepSince),
    rollout.decision?.reason ?? "",
  ]);
  return renderTable([["ROLLOUT", "WHAT", "STATE", "SINCE", "WHY"], ...rows]);
}

/** One rollout with every figure that its counts lead to, within 80 columns. Each formula stands beside its result, so that a reader can do it again. */
export function renderRollout({ rollout, strata, misassigned, verdict }: RolloutView): string {
  const sections = [
    head(rollout),
    newest(rollout.decisions),
    counts(verdict),
    quality(rollout, verdict),
    cost(rollout, verdict),
    split(verdict),
    others(strata, { misassigned, verdict }),
  ];
  return sections
    .map((lines) => lines.flatMap(wrap).join("\n"))
    .join("\n\n")
    .concat("\n");
}

function head(rollout: Rollout): readonly string[] {
  const { id, subject, plan, salt, by, createdAt, stepSince, runId } = rollout;
  return [
    oneLine(`Rollout ${id}, ${describeSubject(subject)}`),
    `  ${describeStep(rollout)}, since ${formatInstant(rollout.endedAt ?? stepSince)}`,
    `  steps ${plan.steps.map((share) => formatShare(share)).join(", ")}, each at least ${formatDuration(plan.intervalMs)}; ${formatShare(plan.holdback)} stay with the old`,
    `  a ticket fails after ${formatDuration(plan.deadlineMs)}; its quality may be revised for ${formatDuration(plan.lagMs)}`,
    below(`by ${by}, created ${formatInstant(createdAt)}${runId === undefined ? ", driven by people" : `, driven by run ${runId}`}`),
    below(`a ticket's bucket is that of "${salt}:<ticket id>"`),
  ];
}

function newest(decisions: readonly RolloutDecision[]): readonly string[] {
  const last = decisions.at(-1);
  if (last === undefined) return ["No decision yet."];
  return [
    oneLine(`Newest of ${decisions.length} decisions: ${last.decision} (${last.reason}), ${formatInstant(last.at)} by ${last.by}`),
    below(last.detail),
  ];
}

type Verdict = RolloutView["verdict"];

/** Counts of each step, canary and baseline, with the weight w and the difference of quality that it adds. */
function counts({ strata, canary, baseline, tickets }: Verdict): readonly string[] {
  const cells = ({ exposed, ended, quality: mean }: Verdict["canary"]) => [`${exposed}`, `${ended}`, percent(mean)];
  const rows = strata.map((one) => [
    `${one.step + 1}`,
    formatShare(one.share),
    ...cells(one.canary),
    ...cells(one.baseline),
    one.weight.toFixed(1),
    points(one.difference),
  ]);
  const sum = ["all", "", ...cells(canary), ...cells(baseline), strata.reduce((total, { weight }) => total + weight, 0).toFixed(1), ""];
  const table = renderTable([["STEP", "SHARE", "CANARY", "ENDED", "GOOD", "BASE", "ENDED", "GOOD", "W", "CANARY-BASE"], ...rows, sum]);
  return [
    `Counts: ${tickets} tickets of both arms have ended (w = c*b/(c+b) of the ended)`,
    ...table
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`),
  ];
}

function quality({ plan, step }: Rollout, { quality: shown, sufficient }: Verdict): readonly string[] {
  if (shown === null) return ["Quality: in no step has a ticket of each arm ended, so that nothing is compared."];
  const { difference, halfWidth, harm } = shown;
  const isLast = step >= plan.steps.length - 1;
  const next = isLast ? 1 : (plan.steps[step + 1] ?? 1);
  const atRisk = next * harm;
  return [
    "Quality, canary minus baseline within each step",
    `  D = sum(w*diff)/sum(w) = ${points(difference)}, half width ${points(halfWidth)} at every look`,
    `  so it is between ${points(difference - halfWidth)} and ${points(difference + halfWidth)}`,
    `  worse: D + half width ${difference + halfWidth < 0 ? "<" : ">="} 0${shown.shownWorse ? ": SHOWN, it is taken back" : ": not shown"}${sufficient ? "" : " (30 ended of each arm are needed)"}`,
    `  harm left: max(0, half width - D) = ${points(harm)}`,
    `  ${isLast ? "to finish" : "next step"}: ${formatShare(next)} x ${points(harm)} = ${points(atRisk)} ${atRisk <= plan.margin ? "<=" : ">"} margin ${points(plan.margin)}: ${atRisk <= plan.margin ? "permitted" : "not yet"}`,
  ];
}

function cost({ plan }: Rollout, { cost: shown, canary, baseline }: Verdict): readonly string[] {
  const means = `  mean of a ticket: canary ${money(canary.meanCostMicroUsd)}, baseline ${money(baseline.meanCostMicroUsd)}`;
  if (shown.kind === "free") return ["Cost: no ticket of the canary cost anything."];
  if (shown.kind === "unknown") return [`Cost per success: unknown, ${unknownCost[shown.because]}`, means];
  const { logRatio, halfWidthDear, halfWidthCheap } = shown;
  const limit = plan.costLimit === null ? "no limit" : `limit ${plan.costLimit.toFixed(2)}`;
  const verdict = shown.shownDear
    ? "SHOWN dear, it is taken back"
    : shown.shownCheap
      ? "shown below the limit"
      : "not shown to be above the limit";
  return [
    "Cost per success, canary to baseline, failed attempts included",
    means,
    `  ratio e^${logRatio.toFixed(3)} = ${Math.exp(logRatio).toFixed(3)}, ${limit}`,
    `  at least e^(${logRatio.toFixed(3)} - ${halfWidthDear.toFixed(3)}) = ${Math.exp(logRatio - halfWidthDear).toFixed(3)}, at most e^(${logRatio.toFixed(3)} + ${halfWidthCheap.toFixed(3)}) = ${Math.exp(logRatio + halfWidthCheap).toFixed(3)}`,
    `  ${verdict}`,
  ];
}

const unknownCost = {
  unpriced: "as a part of the cost of some tickets is not known",
  too_few: "as too few tickets have ended",
  baseline_free: "as the baseline cost nothing",
  no_success: "as an arm has no success",
} as const;

function split({ split: { logEvalue, pValue, broken }, strata }: Verdict): readonly string[] {
  return [
    "Split of the exposed tickets against the shares",
    `  e-value e^(${strata.map((one) => one.logEvalue.toFixed(2)).join(" + ") || "0"}) = e^${logEvalue.toFixed(2)}; chance if the split is right ${pValue.toPrecision(3)}`,
    `  ${broken ? "BROKEN (e-value above 1000): the comparison means nothing" : "as the shares say (broken above an e-value of 1000)"}`,
  ];
}

function others(strata: RolloutView["strata"], { misassigned, verdict }: Pick<RolloutView, "misassigned" | "verdict">): readonly string[] {
  const sum = (field: "exposed" | "ended" | "overdue" | "cancelled" | "unpriced") =>
    strata.reduce((total, { canary, baseline }) => total + (canary[field] ?? 0) + (baseline[field] ?? 0), 0);
  const { chance, shown } = verdict.catastrophe;
  return [
    `Tickets: ${sum("exposed") - sum("ended") - sum("cancelled")} open, ${sum("overdue")} past the deadline, ${sum("cancelled")} cancelled, ${sum("unpriced")} of unknown cost`,
    `Misassigned: ${misassigned} in an arm that the hash forbids; they are in no step above`,
    ...(chance === null
      ? []
      : [
          `First tickets: an equal canary does so badly with a chance of ${chance.toPrecision(2)}${shown ? ": SHOWN, it is taken back" : ""}`,
        ]),
  ];
}

/** The same line, or several of at most 80 columns. A word that is longer stays whole. */
function wrap(line: string): readonly string[] {
  if (line.length <= width) return [line];
  const indent = /^ */.exec(line)?.[0] ?? "";
  const lines: string[] = [];
  let current = "";
  for (const word of line.trim().split(/ +/)) {
    const start = `${indent}${lines.length === 0 ? "" : "  "}`;
    if (current === "") current = `${start}${word}`;
    else if (current.length + 1 + word.length <= width) current = `${current} ${word}`;
    else {
      lines.push(current);
      current = `${indent}  ${word}`;
    }
  }
  return [...lines, current];
}

/** A line below a heading; what came from outside is on one line. */
function below(text: string): string {
  return `  ${oneLine(text)}`;
}

function percent(mean: number | null): string {
  return mean === null ? "-" : formatShare(mean, { decimals: 1 });
}

function points(difference: number | null): string {
  return difference === null ? "-" : `${(100 * difference).toFixed(1)} points`;
}

function money(microUsd: number | null): string {
  return microUsd === null ? "unknown" : formatUsd(microUsd);
}
