import { z } from "zod";
import { costExplanationSchema } from "../../../packages/sdk/src/wire/costs.ts";
import { durationGrammar, parseDuration } from "../../core/duration.ts";
import { formatUsd } from "../../core/money.ts";
import { oneLine } from "../../core/one-line.ts";
import { formatShare } from "../../core/share.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandDefinition, type CommandInvocation, flagOption, textOption } from "../define-command.ts";
import { formatInstant } from "../render-run.ts";

/** `runbookd explain …`: what lies behind a number. */
export function explainCommands(): readonly CommandDefinition[] {
  return [explainCostCommand];
}

const elementsShown = 3;

const explainCostCommand: CommandDefinition = {
  usage: "cost",
  summary: "Say what changed when cost rose: where, and through which factor; times are instants, or durations before now",
  examples: [
    "runbookd explain cost --from 1h",
    "runbookd explain cost --from 2026-03-01T12:00:00Z --to 2026-03-01T13:00:00Z --budget checkout",
    "runbookd explain cost --from 1h --baseline-from 25h --baseline-to 24h",
  ],
  options: [
    { flags: "--from <time>", description: "beginning of the window", default: "1h" },
    { flags: "--to <time>", description: "its end; now when absent" },
    { flags: "--baseline-from <time>", description: "beginning of what it is compared with; the same length before when absent" },
    { flags: "--baseline-to <time>", description: "its end" },
    { flags: "--budget <id>", description: "only the usage of this budget" },
  ],
  remote: true,
  async run(_args, invocation) {
    const { context } = invocation;
    const faults: string[] = [];
    const now = context.clock.now();
    const query = new URLSearchParams();
    for (const [name, option, flag] of times) {
      const at = readTime(invocation, { option, flag, now }, faults) ?? (name === "to" ? now : undefined);
      if (at !== undefined) query.set(name, String(at));
    }
    if (faults.length > 0) {
      context.warn(faults.map((fault) => `${fault}\n`).join(""));
      return exitCodes.usage;
    }
    const budget = textOption(invocation, "budget");
    if (budget !== undefined) query.set("budget", budget);
    const client = await createApiClient(invocation);
    const answer = await client.get(`/api/costs/explanation?${query.toString()}`, costExplanationSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else context.write(render(answer.body));
    return answer.body.kind === "explained" ? exitCodes.ok : exitCodes.no;
  },
};

const times = [
  ["from", "from", "--from"],
  ["to", "to", "--to"],
  ["baselineFrom", "baselineFrom", "--baseline-from"],
  ["baselineTo", "baselineTo", "--baseline-to"],
] as const;

function readTime(
  invocation: CommandInvocation,
  { option, flag, now }: { readonly option: string; readonly flag: string; readonly now: number },
  faults: string[],
): number | undefined {
  const written = textOption(invocation, option);
  if (written === undefined) return undefined;
  const ms = parseDuration(written);
  if (ms !== undefined) return now - ms;
  const instant = z.iso.datetime({ offset: true }).safeParse(written);
  if (instant.success) return Date.parse(instant.data);
  faults.push(`${flag} must be ${durationGrammar} before now, or an instant such as 2026-01-31T06:00:00Z; it is ${oneLine(written)}.`);
  return undefined;
}

function render(explanation: z.infer<typeof costExplanationSchema>): string {
  const { sentence, from, to, baselineFrom, baselineTo } = explanation;
  const parts = [`${oneLine(sentence)}\n`];
  if (explanation.kind === "explained") {
    const { costMicroUsd, baselineMicroUsd, factors, segment, segmentCostMicroUsd, segmentBaselineMicroUsd, top, advice } = explanation;
    if (advice !== undefined) parts.push(`${oneLine(advice)}\n`);
    if (explanation.beganAt > from) parts.push(`It began at ${formatInstant(explanation.beganAt)}; the costs are of the time since.\n`);
    if (explanation.coincides.length > 0) {
      const changes = explanation.coincides.map(({ at, kind, ref, by }) => [formatInstant(at), kind, ref, by]);
      parts.push(renderTable([["COINCIDES", "KIND", "WHAT", "BY"], ...changes]));
    }
    const rows = [["everything", formatUsd(baselineMicroUsd), formatUsd(costMicroUsd), signed(costMicroUsd - baselineMicroUsd)]];
    const named = Object.entries(segment).map(([dimension, element]) => `${dimension} ${element}`);
    if (named.length > 0) {
      const change = signed(segmentCostMicroUsd - segmentBaselineMicroUsd);
      rows.push([named.join(", "), formatUsd(segmentBaselineMicroUsd), formatUsd(segmentCostMicroUsd), change]);
    }
    parts.push(renderTable([["COST", "BEFORE", "NOW", "CHANGE"], ...rows]));
    if (factors.length > 0) {
      const changes = factors.map((one) => [
        one.factor.replaceAll("_", " "),
        signed(one.changeMicroUsd),
        formatShare(one.share, { decimals: 1 }),
        one.factor === "new_models" ? "" : `× ${one.times.toFixed(2)}`,
      ]);
      parts.push(renderTable([["FACTOR", "CHANGE", "SHARE OF CHANGE", "TIMES"], ...changes]));
    }
    const elements = Object.entries(top).flatMap(([dimension, few]) =>
      few
        .slice(0, elementsShown)
        .map((one, index) => [
          index === 0 ? dimension : "",
          one.element,
          formatUsd(one.costMicroUsd),
          signed(one.changeMicroUsd),
          formatShare(one.share, { decimals: 1 }),
        ]),
    );
    if (elements.length > 0) parts.push(renderTable([["MOST COSTLY", "ELEMENT", "COST", "CHANGE", "SHARE OF COST"], ...elements]));
  }
  if (explanation.kind === "explained" && explanation.prices.length > 0) {
    const rows = explanation.prices.map(({ provider, model, from: since, source, costMicroUsd }) => [
      `${provider}/${model}`,
      since,
      source ?? "(the row names none)",
      formatUsd(costMicroUsd),
    ]);
    parts.push(renderTable([["PRICE OF", "SINCE", "SOURCE", "COST IN BOTH WINDOWS"], ...rows]));
  }
  parts.push(
    `${formatInstant(from)} to ${formatInstant(to)}, compared with ${formatInstant(baselineFrom)} to ${formatInstant(baselineTo)}.\n`,
  );
  return parts.join("\n");
}

function signed(amount: number): string {
  return `${amount > 0 ? "+" : ""}${formatUsd(amount)}`;
}
