import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { JournalEntry, RunRecord } from "../../packages/sdk/src/wire/journal.ts";
import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import { explainDecision } from "../../src/alerts/explain-decision.ts";
import { packageFolder } from "../../src/cli/process-context.ts";
import { readLintInput } from "../../src/cli/read-folder.ts";
import { readRehearsals } from "../../src/cli/read-rehearsals.ts";
import type { Rehearsal } from "../../src/rehearsal/rehearsal.ts";
import { type Rehearsed, runRehearsal } from "../../src/rehearsal/run-rehearsal.ts";
import { lintFolder } from "../../src/runbooks/lint/lint-folder.ts";
import { buildDocumentTree } from "../../src/runbooks/parse/build-document-tree.ts";
import type { ConsoleAnswer, ConsoleAnswers } from "../servers/console-server.ts";

/** A shipped runbook with a run of it that the engine made in one of its rehearsals. */
export interface ShippedRun {
  readonly runbook: Runbook;
  /** The run when it had ended, or when its rehearsal had no answer for it. */
  readonly whole: RunRecord;
  /** The run as it waits for its first question; undefined when no rehearsal of the runbook asks one. */
  readonly asking?: { readonly record: RunRecord; readonly question: Question };
}

/** Every shipped runbook with a run; a run that asks to approve a plan where one of the rehearsals does. */
export async function shippedRuns(): Promise<readonly ShippedRun[]> {
  const root = packageFolder();
  const read = readLintInput({ workingDirectory: root, runbooks: ["runbooks"] });
  const runbooks = "input" in read ? lintFolder(read.input).runbooks : [];
  return Promise.all(runbooks.map(async (runbook) => shippedRun(root, runbook)));
}

async function shippedRun(root: string, runbook: Runbook): Promise<ShippedRun> {
  const { rehearsals } = readRehearsals(root, runbook);
  const picked = await pickRun(
    runbook,
    rehearsals.filter(({ rule, mode }) => rule === undefined && mode !== "observe"),
  );
  const { journal } = picked;
  const at = journal.findIndex(isApproval);
  const asked = journal[at === -1 ? journal.findIndex(({ kind }) => kind === "asked") : at];
  const whole = recordOf(runbook, journal, "whole");
  if (asked?.kind !== "asked") return { runbook, whole };
  const record = recordOf(runbook, journal.slice(0, journal.indexOf(asked) + 1), "asks");
  return { runbook, whole, asking: { record, question: { ...asked.question, runId: record.summary.id } } };
}

const isApproval = (entry: JournalEntry) => entry.kind === "asked" && entry.question.plan !== undefined;

async function pickRun(runbook: Runbook, rehearsals: readonly Rehearsal[]): Promise<Rehearsed> {
  let picked: Rehearsed | undefined;
  for (const rehearsal of rehearsals) {
    const rehearsed = await runRehearsal(runbook, rehearsal);
    const asks = rehearsed.questions.length > 0;
    if (rehearsed.journal.some(isApproval)) return rehearsed;
    if (picked === undefined || (asks && picked.questions.length === 0)) picked = rehearsed;
  }
  if (picked === undefined) throw new Error(`The runbook ${runbook.id} has no rehearsal.`);
  return picked;
}

function recordOf(runbook: Runbook, journal: readonly JournalEntry[], suffix: string): RunRecord {
  const [accepted] = journal;
  const last = journal.at(-1);
  if (accepted?.kind !== "accepted" || last === undefined)
    throw new Error(`The journal of ${runbook.id} does not begin with its acceptance.`);
  const { mode, source, target, alert } = accepted.request;
  const alertName = alert?.labels["alertname"];
  const end =
    last.kind === "finished" ? ({ state: "ended", outcome: last.outcome, endedAt: last.at } as const) : ({ state: "suspended" } as const);
  return {
    summary: {
      id: `${runbook.id}-${suffix}`,
      runbookId: runbook.id,
      runbookSha: runbook.sha256,
      mode,
      source,
      acceptedAt: accepted.at,
      ...(target !== undefined && { target }),
      ...(alertName !== undefined && { alertName }),
      ...end,
    },
    journal,
  };
}

/** What the API answers about these runs, their runbooks and a decision about an alert of each that started nothing. */
export function answersOfRuns(runs: readonly ShippedRun[]): ConsoleAnswers {
  const answers = new Map<string, ConsoleAnswer>([["/api/freeze", { body: { items: [] } }]]);
  for (const { runbook, whole, asking } of runs) {
    const source = readFileSync(join(packageFolder(), runbook.file), "utf8");
    const tree = { body: buildDocumentTree(runbook.id, source) };
    const address = `/api/runbooks/${runbook.id}`;
    answers.set(address, { body: { id: runbook.id, file: runbook.file, source, runbook, diagnostics: [] } });
    answers.set(`${address}/document`, tree);
    for (const record of asking === undefined ? [whole] : [whole, asking.record]) {
      answers.set(`/api/runs/${record.summary.id}`, { body: record });
      answers.set(`/api/runs/${record.summary.id}/document`, tree);
    }
    if (asking !== undefined) {
      const { question } = asking;
      answers.set(`/api/approvals/${question.id}/question`, { body: { question, consents: [], missing: question.of ?? 1 } });
    }
    const decision = {
      fingerprint: "f1",
      alertName: "Fires",
      runbook: runbook.id,
      decision: "refused",
      guardrail: "cooldown",
      retryAt: 1,
    } as const;
    const times = { at: 0, lastAt: 0, count: 1, id: "dec_1", source: "webhook" };
    answers.set(`/api/decisions?runbook=${runbook.id}`, { body: { items: [{ ...decision, ...times, ...explainDecision(decision) }] } });
  }
  return answers;
}
