import type { Diagnostic } from "../../../packages/sdk/src/wire/runbooks.ts";
import { formatShare } from "../../core/share.ts";
import type { LintReport } from "./lint-folder.ts";

/** `file:line:column: severity rule: message (accepted)`, one line each, as editors and terminals read it. */
export function formatDiagnostic({ file, position, severity, rule, message, accepted }: Diagnostic): string {
  return `${file}:${position.line}:${position.column}: ${severity} ${rule}: ${message} (accepted: ${accepted})`;
}

/** For people: every diagnostic, then how much of each document is automated, then a count. */
export function formatText({ diagnostics, documents, alerts }: LintReport): string {
  const shares = documents.map(
    ({ file, automated, steps }) =>
      `${file}: ${automated} of ${steps} steps automated (${formatShare(steps === 0 ? 0 : automated / steps, { decimals: 0 })})`,
  );
  const errors = diagnostics.filter((one) => one.severity === "error").length;
  const problems = `${count(errors, "error")}, ${count(diagnostics.length - errors, "warning")}`;
  const counts = alerts === 0 ? `${problems}; no alerting rule was read, so nothing was compared with alerts` : problems;
  return [...diagnostics.map(formatDiagnostic), ...shares, counts].map((line) => `${line}\n`).join("");
}

function count(number: number, name: string): string {
  return `${number} ${name}${number === 1 ? "" : "s"}`;
}

/** For programs. */
export function formatJson({ diagnostics, documents, alerts }: LintReport): string {
  return `${JSON.stringify({ diagnostics, documents, alerts }, undefined, 2)}\n`;
}

/** SARIF 2.1.0, for code scanning. https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
export function formatSarif({ diagnostics }: LintReport, version: string): string {
  const rules = [...new Set(diagnostics.map((one) => one.rule))].toSorted();
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "runbookd", version, rules: rules.map((id) => ({ id })) } },
        columnKind: "unicodeCodePoints",
        results: diagnostics.map(({ file, position, severity, rule, message, accepted }) => ({
          ruleId: rule,
          ruleIndex: rules.indexOf(rule),
          level: severity,
          message: { text: `${message} Accepted: ${accepted}` },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: encodeURI(file) },
                region: { startLine: position.line, startColumn: position.column },
              },
            },
          ],
        })),
      },
    ],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}
