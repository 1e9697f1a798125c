import { oneLine } from "../../core/one-line.ts";
import { lintFolder } from "../../runbooks/lint/lint-folder.ts";
import { formatDiagnostic, formatJson, formatSarif, formatText } from "../../runbooks/lint/lint-format.ts";
import { exitCodes, paint } from "../context.ts";
import { type CommandBody, flagOption, textOption } from "../define-command.ts";
import { readLocalSettings } from "../local-settings.ts";
import { readVersion } from "../process-context.ts";
import { readLintInput } from "../read-folder.ts";

/** Options that say where documents, rules and routes are. */
export const placeOptions: NonNullable<CommandBody["options"]> = [
  {
    flags: "--rules <folder>",
    description: "folder or file of alerting rules; alerts are not checked when it does not exist",
    default: "alerts/rules",
  },
  { flags: "--alertmanager <file>", description: "its routes; not checked when it does not exist", default: "alerts/alertmanager.yml" },
];

/** `runbookd lint`: every fault of the documents, and of the link between alerts and documents. */
export const lintCommand: CommandBody = {
  examples: ["runbookd lint", "runbookd lint runbooks/cost-incident-response.md --format sarif"],
  options: [
    ...placeOptions,
    { flags: "--format <format>", description: "how faults are printed", choices: ["text", "json", "sarif"], default: "text" },
    { flags: "--strict", description: "warnings count as errors" },
  ],
  run(args, invocation) {
    const { context } = invocation;
    const read = readLintInput({
      workingDirectory: context.workingDirectory,
      runbooks: args.length === 0 ? [readLocalSettings(context).runbooks] : args,
      rules: textOption(invocation, "rules") ?? "alerts/rules",
      alertmanager: textOption(invocation, "alertmanager") ?? "alerts/alertmanager.yml",
    });
    if ("missing" in read) {
      context.warn(`${oneLine(read.missing)} does not exist; accepted: a folder of runbooks, or files that end in .md\n`);
      return Promise.resolve(exitCodes.usage);
    }
    if (read.input.runbooks.length === 0) {
      context.warn("There is no runbook in there; accepted: files that end in .md\n");
      return Promise.resolve(exitCodes.no);
    }
    const report = lintFolder(read.input);
    const format = flagOption(invocation, "json") ? "json" : textOption(invocation, "format");
    if (format === "json") context.write(formatJson(report));
    else if (format === "sarif") context.write(formatSarif(report, readVersion()));
    else {
      let text = formatText(report);
      for (const one of report.diagnostics) {
        const line = formatDiagnostic(one);
        text = text.replace(line, () => paint(context, one.severity === "error" ? "red" : "yellow", line));
      }
      context.write(text);
    }
    const counted = flagOption(invocation, "strict") ? report.diagnostics : report.diagnostics.filter((one) => one.severity === "error");
    return Promise.resolve(counted.length === 0 ? exitCodes.ok : exitCodes.no);
  },
};
