import type { Runbook } from "../../../packages/sdk/src/wire/runbooks.ts";
import { formatDuration } from "../../core/duration.ts";
import { oneLine } from "../../core/one-line.ts";
import { judgeRehearsal, type RehearsalResult } from "../../rehearsal/judge-rehearsal.ts";
import { type MutationResult, mutateRunbook } from "../../rehearsal/mutate-runbook.ts";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { lintFolder } from "../../runbooks/lint/lint-folder.ts";
import { formatDiagnostic } from "../../runbooks/lint/lint-format.ts";
import { type CommandContext, exitCodes, paint, writeJson } from "../context.ts";
import { type CommandBody, flagOption } from "../define-command.ts";
import { fireRehearsal } from "../fire-rehearsals.ts";
import { readLocalSettings } from "../local-settings.ts";
import { readLintInput } from "../read-folder.ts";
import { readRehearsals } from "../read-rehearsals.ts";

/** What became of one runbook. */
interface RunbookReport {
  readonly runbook: string;
  readonly rehearsals: readonly RehearsalResult[];
  readonly mutations?: readonly MutationResult[];
}

/** `runbookd rehearse`: every rehearsal of the documents, in virtual time and against simulators only. */
export const rehearseCommand: CommandBody = {
  examples: ["runbookd rehearse", "runbookd rehearse cost-incident-response --mutate"],
  options: [{ flags: "--mutate", description: "change each step and demand that some rehearsal fails; answer 1 when a change survives" }],
  async run(ids, invocation) {
    const { context } = invocation;
    const place = readLocalSettings(context).runbooks;
    const read = readLintInput({ workingDirectory: context.workingDirectory, runbooks: [place] });
    if ("missing" in read) {
      context.warn(`${oneLine(read.missing)} does not exist; accepted: a folder of runbooks\n`);
      return exitCodes.usage;
    }
    const { runbooks, diagnostics } = lintFolder(read.input);
    const unknown = ids.filter((id) => !runbooks.some((runbook) => runbook.id === id));
    if (unknown.length > 0) {
      const faults = diagnostics.filter(({ severity, file }) => severity === "error" && unknown.some((id) => file.endsWith(`/${id}.md`)));
      context.warn(faults.map((one) => `${formatDiagnostic(one)}\n`).join(""));
      context.warn(`${oneLine(unknown.join(", "))}: no such runbook; accepted: ${runbooks.map(({ id }) => id).join(", ")}\n`);
      return exitCodes.usage;
    }
    const wanted = ids.length === 0 ? runbooks : runbooks.filter(({ id }) => ids.includes(id));
    const sources = { workingDirectory: context.workingDirectory, rules: "alerts/rules", path: context.env["PATH"] ?? "" };
    const reports: RunbookReport[] = [];
    // A document that is no runbook has no rehearsals to fail; a person who asks for all of them must still hear of it.
    const unread = ids.length > 0 ? [] : diagnostics.filter(({ severity, file }) => severity === "error" && !isOfRunbook(file, runbooks));
    context.warn(unread.map((one) => `${formatDiagnostic(one)}\n`).join(""));
    let broken = unread.length;
    for (const runbook of wanted) {
      const { rehearsals, diagnostics: faults } = readRehearsals(context.workingDirectory, runbook);
      broken += faults.length;
      context.warn(faults.map((one) => `${formatDiagnostic(one)}\n`).join(""));
      const results: RehearsalResult[] = [];
      const fired: Rehearsal[] = [];
      for (const rehearsal of rehearsals) {
        const firedRehearsal = await fireRehearsal(rehearsal, sources);
        const rehearsalResult = await judgeRehearsal(runbook, firedRehearsal.ok ? firedRehearsal.rehearsal : rehearsal);
        results.push(firedRehearsal.ok ? rehearsalResult : { ...rehearsalResult, differences: [firedRehearsal.reason] });
        if (firedRehearsal.ok) fired.push(firedRehearsal.rehearsal);
      }
      // A rehearsal that fails anyway would seem to notice every change.
      const isSound = faults.length === 0 && results.every(({ differences }) => differences.length === 0);
      const mutations = flagOption(invocation, "mutate") && isSound ? await mutateRunbook(runbook, fired) : undefined;
      reports.push({ runbook: runbook.id, rehearsals: results, ...(mutations !== undefined && { mutations }) });
    }
    if (flagOption(invocation, "json")) writeJson(context, { runbooks: reports });
    else context.write(render(reports, wanted, context));
    const failed = reports.some(
      ({ rehearsals, mutations = [] }) =>
        rehearsals.some(({ differences }) => differences.length > 0) || mutations.some(({ noticedBy }) => noticedBy === undefined),
    );
    return failed || broken > 0 ? exitCodes.no : exitCodes.ok;
  },
};

function isOfRunbook(file: string, runbooks: readonly Runbook[]): boolean {
  return runbooks.some(({ id }) => file === `${id}.md` || file.endsWith(`/${id}.md`));
}

function render(reports: readonly RunbookReport[], runbooks: readonly Runbook[], context: CommandContext): string {
  const lines: string[] = [];
  for (const { runbook, rehearsals, mutations } of reports) {
    lines.push(`${runbook}${rehearsals.length === 0 ? ": no rehearsal" : ""}`);
    for (const one of rehearsals) {
      const passed = one.differences.length === 0;
      const took = one.virtualMs === 0 ? "" : ` after ${formatDuration(one.virtualMs)} of virtual time`;
      lines.push(`  ${paint(context, passed ? "green" : "red", passed ? "pass" : "FAIL")}  ${one.name}: ${one.outcome}${took}`);
      for (const difference of one.differences) lines.push(`        ${one.file}: ${difference}`);
    }
    if (mutations !== undefined)
      lines.push(
        ...renderMutations(
          mutations,
          runbooks.find(({ id }) => id === runbook),
          context,
        ),
      );
  }
  const all = reports.flatMap(({ rehearsals }) => rehearsals);
  const failed = all.filter(({ differences }) => differences.length > 0).length;
  lines.push(`${all.length} rehearsals, ${failed} failed`);
  return lines.map((line) => `${line}\n`).join("");
}

function renderMutations(mutations: readonly MutationResult[], runbook: Runbook | undefined, context: CommandContext): readonly string[] {
  const survivors = mutations.filter(({ noticedBy }) => noticedBy === undefined);
  const placeOf = (id: string) => {
    const number = runbook?.steps.find((step) => step.id === id)?.number;
    return number === undefined ? id : `step ${number} ${id}`;
  };
  return [
    ...survivors.map(({ kind, step }) => `  ${paint(context, "red", "survives")}  ${placeOf(step)}: ${kind}`),
    `  ${mutations.length} mutations, ${survivors.length} survive`,
  ];
}
