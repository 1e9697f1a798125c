import type { Diagnostic, Position } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { Locator } from "./locate.ts";

/** One fault of a document. */
export interface Fault {
  readonly rule: string;
  /** An offset of the text, or the position itself. */
  readonly at: number | Position;
  readonly message: string;
  /** What would be accepted in its place. */
  readonly accepted: string;
}

/** Collects the diagnostics of one document; parsing goes on, so that every fault is told at once. */
export interface Reporter {
  readonly diagnostics: readonly Diagnostic[];
  positionOf(offset: number): Position;
  error(fault: Fault): void;
  warn(fault: Fault): void;
  /** Whether an error was reported on this 1-based line. */
  hasErrorOn(line: number): boolean;
}

/** A reporter whose numbers are offsets of the locator's text without its first `skipped` characters (a byte order mark). */
export function createReporter(file: string, locator: Locator, skipped = 0): Reporter {
  const diagnostics: Diagnostic[] = [];
  const add = (severity: Diagnostic["severity"], { rule, at, message, accepted }: Fault) => {
    const position = typeof at === "number" ? locator.positionOf(at + skipped) : at;
    diagnostics.push({ file, position, severity, rule, message, accepted });
  };
  return {
    diagnostics,
    positionOf: (offset) => locator.positionOf(offset + skipped),
    error: (fault) => add("error", fault),
    warn: (fault) => add("warning", fault),
    hasErrorOn: (line) => diagnostics.some((one) => one.severity === "error" && one.position.line === line),
  };
}

/** The name nearest to what was written (edit distance up to a third of its length), for "did you mean". */
export function nearest(written: string, names: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(written.length / 3));
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of names) {
    if (Math.abs(name.length - written.length) > limit) continue;
    const distance = editDistance(written.toLowerCase(), name.toLowerCase());
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

/** Levenshtein distance by the two-row method. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** "`a`, `b` or `c`", for what would be accepted. */
export function oneOf(names: readonly string[]): string {
  const quoted = names.map((name) => `\`${name}\``);
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1) ?? ""}`;
}
