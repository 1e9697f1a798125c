import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { oneLine } from "../../core/one-line.ts";
import { lintFolder } from "../../runbooks/lint/lint-folder.ts";
import { formatDiagnostic } from "../../runbooks/lint/lint-format.ts";
import { renderIndex } from "../../runbooks/render-index.ts";
import { exitCodes, writeJson } from "../context.ts";
import { type CommandBody, flagOption } from "../define-command.ts";
import { readLocalSettings } from "../local-settings.ts";
import { readLintInput } from "../read-folder.ts";
import { countRehearsals } from "../read-rehearsals.ts";

/** `runbookd index`: writes the README of the runbooks, or checks it. */
export const indexCommand: CommandBody = {
  examples: ["runbookd index", "runbookd index --check"],
  options: [{ flags: "--check", description: "write nothing; answer 1 when the index is stale" }],
  run([folder], invocation) {
    const { context } = invocation;
    const place = folder ?? readLocalSettings(context).runbooks;
    const read = readLintInput({ workingDirectory: context.workingDirectory, runbooks: [place] });
    if ("missing" in read) {
      context.warn(`${oneLine(read.missing)} does not exist; accepted: a folder of runbooks\n`);
      return Promise.resolve(exitCodes.usage);
    }
    const report = lintFolder(read.input);
    const errors = report.diagnostics.filter((one) => one.severity === "error");
    if (errors.length > 0) {
      context.warn(errors.map((one) => `${formatDiagnostic(one)}\n`).join(""));
      return Promise.resolve(exitCodes.no);
    }
    const file = join(place, "README.md");
    const absolute = resolve(context.workingDirectory, file);
    const text = renderIndex({ runbooks: report.runbooks, rehearsals: countRehearsals(context.workingDirectory, report.runbooks) });
    const stale = !existsSync(absolute) || readFileSync(absolute, "utf8") !== text;
    const checking = flagOption(invocation, "check");
    if (stale && !checking) writeFileSync(absolute, text);
    if (flagOption(invocation, "json")) writeJson(context, { file, stale, written: stale && !checking });
    else context.write(`${file} ${stale ? (checking ? "is stale; runbookd index writes it" : "was written") : "is up to date"}\n`);
    return Promise.resolve(stale && checking ? exitCodes.no : exitCodes.ok);
  },
};
