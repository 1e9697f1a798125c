import { findingReportSchema } from "../../../packages/sdk/src/wire/finding-imports.ts";
import { durationGrammar, parseDuration } from "../../core/duration.ts";
import { renderFindingReport } from "../../llm/findings/render-finding-report.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, writeJson } from "../context.ts";
import { type CommandDefinition, flagOption, textOption } from "../define-command.ts";

/** `runbookd findings export`: what must be told to an authority within 72 hours, as far as findings know it. */
export const exportFindings: CommandDefinition = {
  usage: "export",
  summary:
    "Print what is known and what is not of security findings, with a timeline, as Markdown or with --json as JSON; no text of a secret",
  examples: [
    "runbookd findings export --since 72h --feature export > report.md",
    "runbookd findings export --since 2026-01-31T06:00:00Z --json",
  ],
  remote: true,
  options: [
    {
      flags: "--since <when>",
      description: `how far back: ${durationGrammar}, or an instant such as 2026-01-31T06:00:00Z`,
      default: "72h",
    },
    { flags: "--feature <feature>", description: "only findings of a feature" },
  ],
  async run(_args, invocation) {
    const { context } = invocation;
    const written = textOption(invocation, "since") ?? "72h";
    const since = readSince(written, context.clock.now());
    if (since === undefined) {
      context.warn(`--since must be ${durationGrammar}, or an instant such as 2026-01-31T06:00:00Z.\n`);
      return exitCodes.usage;
    }
    const feature = textOption(invocation, "feature");
    const query = new URLSearchParams({ since: String(since), ...(feature !== undefined && { feature }) });
    const client = await createApiClient(invocation);
    const answer = await client.get(`/api/findings/export?${query.toString()}`, findingReportSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else context.write(renderFindingReport(answer.body));
    return exitCodes.ok;
  },
};

function readSince(text: string, now: number): number | undefined {
  const ms = parseDuration(text);
  if (ms !== undefined) return Math.max(0, now - ms);
  const at = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) || at < 0 ? undefined : at;
}
