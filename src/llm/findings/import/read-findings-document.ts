import type { FindingFormat } from "../../../../packages/sdk/src/wire/finding-imports.ts";
import { type DocumentReading, type ImportContext, listOf, member } from "./finding-reading.ts";
import { readGeneric } from "./read-generic.ts";
import { readOsv } from "./read-osv.ts";
import { readSarif } from "./read-sarif.ts";
import { readVex } from "./read-vex.ts";

const readers: Readonly<Record<FindingFormat, (document: unknown, context: ImportContext) => DocumentReading>> = {
  generic: readGeneric,
  sarif: readSarif,
  osv: readOsv,
  cyclonedx: readVex,
};

/** Reads a document of a format, or of the one that it looks like. Pure, and throws for no document. */
export function readFindingsDocument(document: unknown, format: FindingFormat | undefined, context: ImportContext): DocumentReading {
  const chosen = format ?? formatOf(document);
  if (chosen !== undefined) return readers[chosen](document, context);
  return {
    kind: "refused",
    reason:
      "The document is none of SARIF (`runs`), OSV-Scanner (`results`), CycloneDX (`bomFormat`) and runbookd's own form (`findings`). Name its format if it is one.",
  };
}

function formatOf(document: unknown): FindingFormat | undefined {
  if (Array.isArray(document) || Array.isArray(member(document, "findings"))) return "generic";
  if (member(document, "bomFormat") !== undefined) return "cyclonedx";
  if (member(document, "runs") !== undefined || String(member(document, "$schema")).includes("sarif")) return "sarif";
  const results = member(document, "results");
  if (results === null || (Array.isArray(results) && (results.length === 0 || listOf(member(results[0], "packages")).length > 0)))
    return "osv";
  return undefined;
}
