import { basename } from "node:path";
import { z } from "zod";
import type { Runbook } from "../../../packages/sdk/src/wire/runbooks.ts";
import { parseNotification } from "../../alerts/notification.ts";
import { actionCatalogue } from "../../app/action-registry.ts";
import { oneLine } from "../../core/one-line.ts";
import { alertOf, compareReplays, describeReplayed, type ReplayDifference } from "../../rehearsal/compare-replays.ts";
import { type RecordedNotification, type ReplayedDecision, replay } from "../../rehearsal/replay.ts";
import { checkRunbookSet } from "../../runbooks/check-runbook-set.ts";
import { lintFolder } from "../../runbooks/lint/lint-folder.ts";
import { formatDiagnostic } from "../../runbooks/lint/lint-format.ts";
import { parseRunbook } from "../../runbooks/parse/parse-runbook.ts";
import { type CommandContext, exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandBody, flagOption, listOption, textOption } from "../define-command.ts";
import { readLocalSettings } from "../local-settings.ts";
import { readLintInput, readText } from "../read-folder.ts";

/** `runbookd replay`: recorded webhooks, decided anew by the runbooks as they are or as they would be. */
export const replayCommand: CommandBody = {
  examples: ["runbookd replay --alerts alerts.jsonl", "runbookd replay --alerts alerts.jsonl --with cost-incident-response.md"],
  options: [
    { flags: "--alerts <file>", description: 'one webhook a line: its body, or {"receivedAt": "2026-01-05T12:00:00Z", "body": …}' },
    {
      flags: "--with <document>",
      description: "an edited document in place of the one of that name; may be given several times",
      collect: true,
    },
  ],
  async run(_args, invocation) {
    const { context } = invocation;
    const file = textOption(invocation, "alerts");
    if (file === undefined) return usage(context, "--alerts is needed: a file with one webhook a line");
    const text = readText(context.workingDirectory, file);
    if (text === undefined) return usage(context, `${oneLine(file)} does not exist`);
    if (text.fault !== undefined) return usage(context, formatDiagnostic(text.fault));
    const recorded = readRecording(text, context.clock.now());
    if ("fault" in recorded) return usage(context, recorded.fault);

    const place = readLocalSettings(context).runbooks;
    const read = readLintInput({ workingDirectory: context.workingDirectory, runbooks: [place] });
    if ("missing" in read) return usage(context, `${oneLine(read.missing)} does not exist; accepted: a folder of runbooks`);
    const { runbooks } = lintFolder(read.input);
    const edited = readEdited(listOption(invocation, "with"), runbooks, context);
    if ("fault" in edited) {
      context.warn(edited.fault);
      return exitCodes.no;
    }
    const shipped = await replay(runbooks, recorded.notifications);
    const differences = compareReplays(shipped, await replay(edited.runbooks, recorded.notifications));
    if (flagOption(invocation, "json")) writeJson(context, { decisions: shipped, differences });
    else context.write(edited.changed ? renderDifferences(shipped, differences) : renderDecisions(shipped));
    return exitCodes.ok;
  },
};

function usage(context: CommandContext, message: string): typeof exitCodes.usage {
  context.warn(`${message}\n`);
  return exitCodes.usage;
}

const lineSchema = z.object({ receivedAt: z.iso.datetime({ offset: true }), body: z.unknown() });

/** Webhooks in the order of the file. Without a time of receipt the newest time of its alerts stands in, which never runs backwards. */
function readRecording(
  { file, source }: { readonly file: string; readonly source: string },
  now: number,
): { readonly notifications: readonly RecordedNotification[] } | { readonly fault: string } {
  const notifications: RecordedNotification[] = [];
  let latest = 0;
  for (const [index, line] of source.split(/\r?\n/u).entries()) {
    if (line.trim() === "") continue;
    const place = `${file}:${index + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return { fault: `${place}: no JSON; accepted: one webhook body a line` };
    }
    const stamped = lineSchema.safeParse(value);
    const parsed = parseNotification(
      stamped.success ? stamped.data.body : value,
      stamped.success ? Date.parse(stamped.data.receivedAt) : now,
    );
    if (!parsed.ok) return { fault: `${place}: no webhook of Alertmanager: ${oneLine(parsed.issues.join("; "))}` };
    const { notification } = parsed;
    const newest = Math.max(0, ...notification.alerts.map(({ alert }) => alert.endsAt ?? alert.startsAt));
    latest = Math.max(latest, stamped.success ? Date.parse(stamped.data.receivedAt) : newest);
    notifications.push({ receivedAt: latest, notification });
  }
  return { notifications };
}

function readEdited(
  paths: readonly string[],
  runbooks: readonly Runbook[],
  context: CommandContext,
): { readonly runbooks: readonly Runbook[]; readonly changed: boolean } | { readonly fault: string } {
  let set = runbooks;
  for (const path of paths) {
    const text = readText(context.workingDirectory, path);
    if (text === undefined) return { fault: `${oneLine(path)} does not exist\n` };
    if (text.fault !== undefined) return { fault: `${formatDiagnostic(text.fault)}\n` };
    const { runbook, diagnostics } = parseRunbook({ ...text, catalogue: actionCatalogue });
    if (runbook === undefined) return { fault: diagnostics.map((one) => `${formatDiagnostic(one)}\n`).join("") };
    set = [...set.filter(({ id }) => `${id}.md` !== basename(path)), runbook];
  }
  const faults = checkRunbookSet(set);
  return faults.length > 0
    ? { fault: faults.map((one) => `${formatDiagnostic(one)}\n`).join("") }
    : { runbooks: set, changed: paths.length > 0 };
}

function renderDecisions(decisions: readonly ReplayedDecision[]): string {
  const rows = decisions.map((one) => [String(one.webhook), alertOf(one), describeReplayed(one)]);
  return `${renderTable([["WEBHOOK", "ALERT", "DECISION"], ...rows])}${count(decisions.length, "decision")}\n`;
}

function renderDifferences(decisions: readonly ReplayedDecision[], differences: readonly ReplayDifference[]): string {
  const lines = differences.flatMap(({ webhook, alert, before, after }) => [
    `webhook ${webhook}, ${oneLine(alert)}`,
    `  - ${oneLine(before)}`,
    `  + ${oneLine(after)}`,
  ]);
  return [
    ...lines,
    `${count(decisions.length, "decision")}, ${differences.length === 0 ? "no difference" : count(differences.length, "difference")}`,
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function count(number: number, name: string): string {
  return `${number} ${name}${number === 1 ? "" : "s"}`;
}
