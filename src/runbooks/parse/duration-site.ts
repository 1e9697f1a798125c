import { parseDuration } from "../../core/duration.ts";
import { dividedDuration, divideRanges, durationsOf, readPromql } from "../expressions/promql.ts";
import { type Code, codeText } from "./markdown.ts";
import type { YamlBlock } from "./yaml-block.ts";

/** A place of a document that holds a duration which the machine reads; offsets are of the text without byte order mark. */
export interface DurationSite {
  readonly start: number;
  readonly end: number;
  /** What stands there when every duration is divided. */
  divide(factor: number): string;
}

/** A duration written between two offsets. */
export function plainDuration(ms: number, start: number, end: number): DurationSite {
  return { start, end, divide: (factor) => dividedDuration(ms, factor) };
}

/** A YAML value that is a duration; none when it is a template. */
export function yamlDuration(value: string, block: YamlBlock, path: readonly (string | number)[]): readonly DurationSite[] {
  const ms = parseDuration(value);
  return ms === undefined ? [] : [{ ...block.rangeOf(path), divide: (factor) => JSON.stringify(dividedDuration(ms, factor)) }];
}

/** A YAML value that is a query; none when it cannot be read or names no duration. */
export function yamlQuery(query: string, block: YamlBlock, path: readonly (string | number)[]): readonly DurationSite[] {
  if (readPromql(query).errorAt !== undefined || durationsOf(query).length === 0) return [];
  return [{ ...block.rangeOf(path), divide: (factor) => JSON.stringify(divideRanges(query, factor)) }];
}

/** The durations of a `promql` fence, each at its own place. */
export function fenceDurations(text: string, fence: Code): readonly DurationSite[] {
  const code = codeText(text, fence);
  return durationsOf(code.text).map(({ from, to, ms }) => plainDuration(ms, code.toOffset(from), code.toOffset(from) + (to - from)));
}

/** What a duration of a bullet follows. */
export type DurationLead = "within" | "every" | "colon";

const leadPatterns: Readonly<Record<DurationLead, string>> = { within: "\\bwithin\\s+", every: "\\bevery\\s+", colon: ":[\\s*_`]*" };

/** The duration behind a word, or behind the label's colon, in a stretch of the document. */
export function durationBehind(
  lead: DurationLead,
  text: string,
  { start, end }: { readonly start: number; readonly end: number },
): readonly DurationSite[] {
  const match = new RegExp(`${leadPatterns[lead]}([0-9][0-9a-z]*)`, "iu").exec(text.slice(start, end));
  const written = match?.[1];
  const ms = written === undefined ? undefined : parseDuration(written);
  if (match === null || written === undefined || ms === undefined) return [];
  const at = start + match.index + match[0].length - written.length;
  return [plainDuration(ms, at, at + written.length)];
}
