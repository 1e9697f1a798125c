import { decisionKinds, type ExplainedDecision, explainedDecisionSchema } from "../../../packages/sdk/src/wire/alerts.ts";
import { pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import { describeLabels } from "../../core/describe-labels.ts";
import { parseDuration } from "../../core/duration.ts";
import { oneLine } from "../../core/one-line.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, writeJson } from "../context.ts";
import { type CommandBody, flagOption, textOption } from "../define-command.ts";
import { formatInstant } from "../render-run.ts";

/** `runbookd why`: what was decided about an alert, the newest first, each with its reason and what would change it. */
export const whyCommand: CommandBody = {
  examples: ["runbookd why LLMBudgetBurnFast", "runbookd why --decision unmatched --since 1d", "runbookd why 5ef77f1f8a3ecfb9 --json"],
  remote: true,
  options: [
    { flags: "--runbook <id>", description: "only decisions of one runbook" },
    { flags: "--decision <kind>", description: "only decisions of one kind", choices: decisionKinds },
    { flags: "--since <duration>", description: "only decisions that are younger, e.g. 2h" },
    { flags: "--limit <count>", description: "how many are shown, at most 200", default: "10" },
    { flags: "--cursor <cursor>", description: "the next page" },
  ],
  async run([alert], invocation) {
    const { context } = invocation;
    const since = textOption(invocation, "since");
    const sinceMs = since === undefined ? undefined : parseDuration(since);
    if (since !== undefined && sinceMs === undefined) {
      context.warn("--since: accepted is a duration such as 30m or 2h\n");
      return exitCodes.usage;
    }
    const query = new URLSearchParams();
    if (alert !== undefined) query.set(isFingerprint(alert) ? "fingerprint" : "alert", alert);
    if (sinceMs !== undefined) query.set("since", String(Math.max(0, context.clock.now() - sinceMs)));
    for (const name of ["runbook", "decision", "limit", "cursor"]) {
      const value = textOption(invocation, name);
      if (value !== undefined) query.set(name, value);
    }
    const client = await createApiClient(invocation);
    const answer = await client.get(`/api/decisions?${query.toString()}`, pageSchema(explainedDecisionSchema));
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    const { items, nextCursor } = answer.body;
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else {
      context.write(items.length === 0 ? describeNone(alert) : items.map(describeDecision).join("\n"));
      if (nextCursor !== undefined) context.write(`\nMore: --cursor ${nextCursor}\n`);
    }
    return items.length === 0 ? exitCodes.no : exitCodes.ok;
  },
};

/** Alertmanager's hash of labels; no name of an alert has this form by chance. */
function isFingerprint(text: string): boolean {
  return /^[0-9a-f]{16}$/.test(text);
}

function describeDecision({
  at,
  lastAt,
  count,
  decision,
  alertName,
  fingerprint,
  labels = {},
  runId,
  why,
  remedy,
}: ExplainedDecision): string {
  const times = count === 1 ? "" : ` (${count} times, last ${formatInstant(lastAt)})`;
  const lines = [
    `${formatInstant(at)}  ${decision}  ${oneLine(alertName ?? "an alert without a name")}${times}`,
    ...(Object.keys(labels).length === 0 ? [] : [`  ${describeLabels(labels)}`]),
    ...(fingerprint === "" ? [] : [`  fingerprint ${oneLine(fingerprint)}`]),
    `  ${oneLine(why)}`,
    ...(remedy === undefined ? [] : [`  ${oneLine(remedy)}`]),
    ...(runId === undefined ? [] : [`  runbookd runs show ${oneLine(runId)}`]),
  ];
  return `${lines.join("\n")}\n`;
}

function describeNone(alert: string | undefined): string {
  const which =
    alert === undefined ? "No alert has reached runbookd that fits" : `No notification about ${oneLine(alert)} has reached runbookd`;
  return `${which}. Alertmanager may silence or inhibit it, or route it to another receiver: \`runbookd alert test\` sends a marked alert the same way, and \`runbookd doctor\` examines the route. Decisions are kept for 30 days.\n`;
}
