import { type RunbookSource, readDocument } from "./parse-runbook.ts";

/**
 * The document with every duration that the machine reads divided by `factor`: cooldown, timeout, within, every, Timeout, Approval, parameters
 * that an action declares as a duration or as PromQL, and the ranges of queries. Prose stays. At least one millisecond stays of each.
 * Throws RangeError when the document has errors, as then nobody knows what the machine would read.
 */
export function divideDurations(document: RunbookSource, factor: number): string {
  const { diagnostics, durations, skipped } = readDocument(document);
  const fault = diagnostics.find((one) => one.severity === "error");
  if (fault !== undefined) throw new RangeError(`${fault.file}:${fault.position.line}:${fault.position.column}: ${fault.message}`);
  const text = document.source.slice(skipped);
  const divided = durations
    .toSorted((a, b) => b.start - a.start)
    .reduce((result, site) => result.slice(0, site.start) + site.divide(factor) + result.slice(site.end), text);
  return document.source.slice(0, skipped) + divided;
}
