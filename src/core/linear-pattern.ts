import { RE2JS } from "re2js";

/** A regular expression in the dialect of Prometheus and Alertmanager (RE2). */
export interface LinearPattern {
  /** A measure of the time for each character. */
  readonly instructions: number;
  /** Whether the text matches; undefined when text and pattern together are too long to be tried. */
  test(text: string): boolean | undefined;
}

/** The pattern, or why it is not accepted, as the end of a sentence. */
export type PatternReading = { readonly ok: true; readonly pattern: LinearPattern } | { readonly ok: false; readonly fault: string };

/** Most instructions of a compiled pattern; compiling this many takes about a third of a second. */
const maxInstructions = 50_000;

/** Most instructions times characters of one match; the engine needs at most some 50 ns for each. */
const maxSteps = 10_000_000;

const maxReadings = 1000;
const readings = new Map<string, PatternReading>();

/**
 * Reads a regular expression for an engine whose time grows linearly with the text. `whole`: the text as a whole must match, as in Alertmanager;
 * `part`: some part of it. References and look-around do not exist in this dialect.
 * https://github.com/google/re2/wiki/Syntax
 */
export function readPattern(source: string, extent: "whole" | "part" = "whole"): PatternReading {
  const key = `${extent} ${source}`;
  const cachedReading = readings.get(key);
  if (cachedReading !== undefined) return cachedReading;
  const reading = compile(source, extent);
  if (readings.size >= maxReadings) readings.clear();
  readings.set(key, reading);
  return reading;
}

function compile(source: string, extent: "whole" | "part"): PatternReading {
  if (instructionsOf(source) > maxInstructions) return { ok: false, fault: "is too large" };
  try {
    const compiled = RE2JS.compile(extent === "whole" ? `^(?:${source})$` : source);
    const size = compiled.programSize();
    return { ok: true, pattern: { instructions: size, test: (text) => (size * text.length > maxSteps ? undefined : compiled.test(text)) } };
  } catch (thrown) {
    return { ok: false, fault: faultOf(source, thrown) };
  }
}

function faultOf(source: string, thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.message.replace(/^error parsing regexp: /u, "") : "";
  // The message quotes the pattern, which may hold anything.
  const shown = cause.includes(source) || cause.length > 100 ? (cause.split(":")[0] ?? "") : cause;
  return shown === "" ? "cannot be read" : `cannot be read: ${shown}`;
}

interface Sizes {
  /** Of everything before the last atom. */
  before: number;
  /** Of the last atom, which a repetition multiplies. */
  last: number;
}

/** An upper bound of the instructions, found in one pass, because compiling itself multiplies `(…){1000}` out. */
function instructionsOf(source: string): number {
  const groups: Sizes[] = [];
  let current: Sizes = { before: 1, last: 0 };
  const append = (size: number) => {
    current.before += current.last;
    current.last = size;
  };
  const token = /\\Q[^]*?(?:\\E|$)|\\[pP]\{[^}]*\}|\\[^]|\[\^?\]?(?:\[:\^?\w+:\]|\\[^]|[^\]\\])*\]?|\{(\d{1,9})(?:,(\d{0,9}))?\}|[^]/gu;
  for (const [text, least, most] of source.matchAll(token)) {
    if (text === "(") {
      groups.push(current);
      current = { before: 2, last: 0 };
    } else if (text === ")") {
      const inner = current.before + current.last;
      current = groups.pop() ?? { before: 1, last: 0 };
      append(inner);
    } else if (least !== undefined) {
      const times = Math.max(Number(least) + 1, Number(most ?? 0), 1);
      current.last = (current.last + 1) * times;
    } else append(text.startsWith("\\Q") ? text.length : 2);
  }
  return [...groups, current].reduce((sum, { before, last }) => sum + before + last, 0);
}
