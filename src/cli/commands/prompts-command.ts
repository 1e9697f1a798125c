import { type CacheState, promptCachesSchema } from "../../../packages/sdk/src/wire/caches.ts";
import { formatUsd } from "../../core/money.ts";
import { oneLine } from "../../core/one-line.ts";
import { formatShare } from "../../core/share.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandBody, flagOption } from "../define-command.ts";

/** `runbookd prompts`: how each prompt is cached, why not better, and what would mend it. */
export const promptsCommand: CommandBody = {
  examples: ["runbookd prompts", "runbookd prompts --json"],
  remote: true,
  async run(_args, invocation) {
    const client = await createApiClient(invocation);
    const answer = await client.get("/api/prompt-caches", promptCachesSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    const { items, unsampled } = answer.body;
    if (flagOption(invocation, "json")) {
      writeJson(invocation.context, answer.body);
      return exitCodes.ok;
    }
    const { context } = invocation;
    if (items.length === 0 && unsampled.length === 0) {
      context.write("No prompt was analysed yet. Report the `prefix` with the usage (docs/prompt-caching.md).\n");
      return exitCodes.ok;
    }
    const analyzed = items.filter(({ reply }) => reply.kind === "analysed");
    const missing = items.filter(({ reply }) => reply.kind !== "analysed");
    if (analyzed.length > 0) context.write(renderTable([header, ...analyzed.flatMap(rowOf)]));
    for (const state of analyzed)
      for (const sentence of sentencesOf(state)) context.write(`${oneLine(state.prompt)} on ${oneLine(state.model)}${sentence}\n`);
    for (const { prompt, model, reply } of missing)
      context.write(`${oneLine(prompt)} on ${oneLine(model)}: ${oneLine(reply.kind === "missing" ? reply.sentence : "unknown")}\n`);
    for (const { prompt, model, requests, hit } of unsampled)
      context.write(
        `${oneLine(prompt)} on ${oneLine(model)}: ${formatShare(hit, { decimals: 1 })} of the input of ${requests} recent requests was read from the cache, and none told its prefix, so nobody can say what could be. Report the \`prefix\` with the usage.\n`,
      );
    return exitCodes.ok;
  },
};

const header = ["PROMPT", "MODEL", "HIT", "ACHIEVABLE", "LOST/DAY", "CAUSE", "FIX", "PREDICTED", "SAVES/DAY"];

const sentences: Readonly<Record<string, string>> = {
  uncalibrated: "Nothing is changed automatically, as the replay does not tell what was measured well enough.",
  no_layers: "Nothing is changed automatically, as the prompt is not rendered from layers.",
  not_the_layout: "Nothing is changed automatically, as what mends it is the application's to do.",
};

/** What stands below the table of one prompt, each behind its name. */
function sentencesOf({ versions, misses, reply }: CacheState): readonly string[] {
  if (reply.kind !== "analysed") return [];
  const { analysis } = reply;
  const causes = analysis.causes.map(({ sentence, transform, evidence }) => {
    const [before, after] = evidence.example ?? [];
    const example = before === undefined || after === undefined ? "" : ` E.g. "${oneLine(before)}", then "${oneLine(after)}".`;
    return `, ${transform}: ${oneLine(sentence)}${example}`;
  });
  const measured = versions.map(
    ({ version, requests, hit }) =>
      `${version === null ? "no version" : `version ${oneLine(version)}`} ${formatShare(hit, { decimals: 1 })} of ${requests} requests`,
  );
  const reasons = misses.map(({ reason, requests }) => `${oneLine(reason)} ${requests} times`);
  const { contradictory, calibration } = analysis;
  const blocked = sentences[analysis.blocked ?? ""];
  return [
    ...causes,
    ...(measured.length > 1 ? [`: by version: ${measured.join(", ")}.`] : []),
    ...(reasons.length > 0 ? [`: misses by reason: ${reasons.join(", ")}.`] : []),
    ...(contradictory > 0 ? [`: ${contradictory} samples contradict their own usage and are left out.`] : []),
    ...(blocked === undefined ? [] : [`: ${blocked} ${oneLine(calibration.sentence)}`]),
  ];
}

/** One row a cause, in the order in which they are met; the last row's prediction is for all of them. */
function rowOf({ prompt, model, reply }: CacheState): readonly (readonly string[])[] {
  if (reply.kind !== "analysed") return [];
  const { analysis } = reply;
  // A replay that does not tell what was measured tells nothing else either.
  const shown = (text: string) => (analysis.calibration.verdict === "refused" ? "?" : text);
  const first = [
    oneLine(prompt),
    oneLine(model),
    formatShare(analysis.measuredHit, { decimals: 1 }),
    analysis.achievableHit === undefined ? "?" : formatShare(analysis.achievableHit, { decimals: 1 }),
    shown(formatUsd(analysis.lostPerDay)),
  ];
  if (analysis.causes.length === 0) return [[...first, "none", "", shown(formatShare(analysis.predictedHit, { decimals: 1 })), ""]];
  return analysis.causes.map((cause, index) => [
    ...(index === 0 ? first : first.map(() => "")),
    `${cause.class.replaceAll("_", " ")} in ${oneLine(cause.unit)}`,
    cause.transform,
    shown(formatShare(cause.hitAfter, { decimals: 1 })),
    shown(formatUsd(cause.savedAfterMicroUsdPerDay)),
  ]);
}
