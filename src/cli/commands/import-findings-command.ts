import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import {
  type FindingImportResult,
  findingFormats,
  findingImportResults,
  findingImportSchema,
  type ImportedFinding,
} from "../../../packages/sdk/src/wire/finding-imports.ts";
import type { ReportedSecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import { decodeUtf8 } from "../../core/decode-utf8.ts";
import type { FindingReading } from "../../llm/findings/import/finding-reading.ts";
import { readFindingsDocument } from "../../llm/findings/import/read-findings-document.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { type CommandContext, eraseLine, exitCodes, writeJson } from "../context.ts";
import { type CommandDefinition, flagOption, textOption } from "../define-command.ts";

/** Bytes of a file that are read. */
const maxFileBytes = 256 * 1024 * 1024;
/** Findings of one request, whose body stays far below the server's limit. */
const findingsAtOnce = 500;
/** Items that are printed one by one; all of them are in --json. */
const maxPrinted = 50;

/** `runbookd findings import`: a document of a scanner, read here and sent as findings, so that its size is not limited by one request. */
export const importFindingsCommand: CommandDefinition = {
  usage: "import <file>",
  summary: "Import security findings: SARIF 2.1.0, OSV-Scanner's JSON, CycloneDX VEX, or runbookd's own form; a bad item costs no other",
  examples: [
    "runbookd findings import results.sarif --repository acme/desk",
    "runbookd findings import osv.json --format osv --source osv-nightly --json",
  ],
  remote: true,
  options: [
    { flags: "--format <format>", description: "form of the file, when it does not tell", choices: findingFormats },
    { flags: "--source <source>", description: "who found it; absent: the tool that the file names" },
    { flags: "--repository <repository>", description: "repository of findings that name none, e.g. acme/desk" },
    { flags: "--feature <feature>", description: "feature of all findings; absent: found by repository and path" },
  ],
  async run([file = ""], invocation) {
    const { context } = invocation;
    const read = await readDocument(context, file);
    if (!read.ok) return refuse(invocation, file, read.reason);
    const [source, repository, feature] = ["source", "repository", "feature"].map((name) => textOption(invocation, name));
    const format = findingFormats.find((one) => one === textOption(invocation, "format"));
    const document = readFindingsDocument(read.document, format, {
      ...(source !== undefined && { source }),
      ...(repository !== undefined && { repository }),
      ...(feature !== undefined && { feature }),
      importedAt: context.clock.now(),
    });
    if (document.kind === "refused") return refuse(invocation, file, document.reason);
    const client = await createApiClient(invocation);
    const items: ImportedFinding[] = [];
    for (const readings of piecesOf(document.readings)) {
      const findings = readings.flatMap((one): readonly ReportedSecurityFinding[] => (one.kind === "finding" ? [one.finding] : []));
      let results: readonly ImportedFinding[] = [];
      if (findings.length > 0) {
        const failed = document.failure === undefined ? "" : "&failed=true";
        const answer = await client.post(`/api/findings?format=generic${failed}`, { findings }, findingImportSchema);
        if (answer.kind !== "ok") {
          context.warn(`${items.length} of ${document.count} items were imported; the same import again goes on.\n`);
          return reportFailure(invocation, answer);
        }
        results = answer.body.items;
      }
      items.push(...joined(readings, results));
      if (context.isTerminal && !flagOption(invocation, "json")) context.write(`${eraseLine}${items.length} of ${document.count} items`);
    }
    if (context.isTerminal && !flagOption(invocation, "json")) context.write(eraseLine);
    const counts = countsOf(items);
    if (flagOption(invocation, "json")) writeJson(context, { items, counts, warnings: document.warnings });
    else printResults(context, { items, counts, warnings: document.warnings });
    return counts.unreadable + counts.refused > 0 || document.warnings.length > 0 ? exitCodes.no : exitCodes.ok;
  },
};

function refuse(invocation: Parameters<CommandDefinition["run"]>[1], file: string, reason: string): typeof exitCodes.no {
  if (flagOption(invocation, "json")) writeJson(invocation.context, { error: reason });
  else invocation.context.warn(`${file}: ${reason} Nothing was imported.\n`);
  return exitCodes.no;
}

async function readDocument(
  context: CommandContext,
  file: string,
): Promise<{ readonly ok: true; readonly document: unknown } | { readonly ok: false; readonly reason: string }> {
  const path = resolve(context.workingDirectory, file);
  let bytes: Uint8Array;
  try {
    const { size } = await stat(path);
    if (size > maxFileBytes) return { ok: false, reason: `The file has ${size} bytes; at most ${maxFileBytes} are read. Divide it.` };
    bytes = await readFile(path);
  } catch {
    return { ok: false, reason: "The file cannot be read." };
  }
  const decoded = decodeUtf8(bytes);
  if (!decoded.ok) return { ok: false, reason: `${decoded.line}:${decoded.column}: ${decoded.message}` };
  try {
    const document: unknown = JSON.parse(decoded.text);
    return { ok: true, document };
  } catch {
    return { ok: false, reason: "The file is not one JSON document." };
  }
}

function* piecesOf(readings: Iterable<FindingReading>): Generator<readonly FindingReading[]> {
  let piece: FindingReading[] = [];
  for (const reading of readings) {
    piece.push(reading);
    if (piece.length === findingsAtOnce) {
      yield piece;
      piece = [];
    }
  }
  if (piece.length > 0) yield piece;
}

/** What was read here with what became of it there, each at its place in the file. */
function joined(readings: readonly FindingReading[], results: readonly ImportedFinding[]): readonly ImportedFinding[] {
  let next = 0;
  return readings.map((reading) => {
    const { at } = reading;
    if (reading.kind !== "finding") return { at, result: reading.kind, reason: reading.reason };
    const result = results[next];
    next += 1;
    return result === undefined ? { at, result: "refused", reason: "The server did not say what became of it." } : { ...result, at };
  });
}

function countsOf(items: readonly ImportedFinding[]): Readonly<Record<FindingImportResult, number>> {
  const count = (result: FindingImportResult) => items.filter((item) => item.result === result).length;
  return {
    created: count("created"),
    updated: count("updated"),
    unchanged: count("unchanged"),
    older: count("older"),
    unreadable: count("unreadable"),
    refused: count("refused"),
    passed_over: count("passed_over"),
  };
}

function printResults(
  context: CommandContext,
  {
    items,
    counts,
    warnings,
  }: {
    readonly items: readonly ImportedFinding[];
    readonly counts: Readonly<Record<FindingImportResult, number>>;
    readonly warnings: readonly string[];
  },
): void {
  const remarkable = items.filter(
    ({ result, reason }) => result === "unreadable" || result === "refused" || (result === "created" && reason !== undefined),
  );
  for (const { at, result, reason = "" } of remarkable.slice(0, maxPrinted))
    context.write(`${at}: ${result}${reason === "" ? "" : `: ${reason}`}\n`);
  if (remarkable.length > maxPrinted) context.write(`… and ${remarkable.length - maxPrinted} more; --json prints all.\n`);
  for (const warning of warnings) context.warn(`${warning}\n`);
  const parts = findingImportResults.flatMap((result) => (counts[result] > 0 ? [`${counts[result]} ${result.replace("_", " ")}`] : []));
  context.write(`${items.length} items${parts.length === 0 ? "" : `: ${parts.join(", ")}`}.\n`);
}
