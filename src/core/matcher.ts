import type { Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Matcher } from "../../packages/sdk/src/wire/runbooks.ts";

/** Longest label value that a regular expression is tried on; bounds the time of a match. A longer one matches no regular expression, negated or not. */
const maxRegexInput = 1024;

/** Whether the label set satisfies every matcher; a missing label counts as empty, regular expressions are anchored, as in Alertmanager. */
export function matches(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((matcher) => {
    const { label } = matcher;
    return matchesValue(matcher, Object.hasOwn(labels, label) ? (labels[label] ?? "") : "");
  });
}

/** Whether one label value satisfies the matcher. */
export function matchesValue({ op, value }: Matcher, actual: string): boolean {
  switch (op) {
    case "=":
      return actual === value;
    case "!=":
      return actual !== value;
    case "=~":
      return actual.length <= maxRegexInput && new RegExp(`^(?:${value})$`, "u").test(actual);
    case "!~":
      return actual.length <= maxRegexInput && !new RegExp(`^(?:${value})$`, "u").test(actual);
  }
}

/** The matchers of a text, or the first fault with its offset and what would be accepted. */
export type MatcherParse =
  | { readonly ok: true; readonly matchers: readonly Matcher[] }
  | { readonly ok: false; readonly message: string; readonly accepted: string; readonly offset: number };

/**
 * Reads Alertmanager's matcher syntax: `Name`, `{a="b",c=~"d"}`, `Name{a="b"}` or `a="b",c!=d`; a leading name matches `alertname`.
 * A regular expression that could take exponential time is refused.
 * https://prometheus.io/docs/alerting/latest/configuration/#matcher
 */
export function parseMatchers(text: string): MatcherParse {
  const parsed = readMatchers(text);
  if (parsed.ok && parsed.matchers.every((matcher) => matchesValue(matcher, ""))) {
    return fault(0, "This would match every alert.", "an alert name, or a matcher that an empty label does not satisfy");
  }
  return parsed;
}

/** As {@link parseMatchers}, but matchers that every alert satisfies are accepted, as in a route of Alertmanager. */
export function readMatchers(text: string): MatcherParse {
  const reader = createReader(text);
  const matchers: Matcher[] = [];
  reader.space();
  const name = reader.take(/[A-Za-z_][A-Za-z0-9_:]*(?=\s*(?:\{|$))/uy);
  if (name !== undefined) matchers.push({ label: "alertname", op: "=", value: name });
  reader.space();
  if (name !== undefined && reader.atEnd()) return { ok: true, matchers };
  const braced = reader.take(/\{/uy) !== undefined;
  for (;;) {
    reader.space();
    if (braced && reader.take(/\}/uy) !== undefined) break;
    if (!braced && reader.atEnd() && matchers.length > 0) break;
    const matcher = readMatcher(reader);
    if (!("label" in matcher)) return { ok: false, ...matcher };
    matchers.push(matcher);
    reader.space();
    if (reader.take(/,/uy) !== undefined) continue;
    if (braced && reader.take(/\}/uy) !== undefined) break;
    if (!braced && reader.atEnd()) break;
    return fault(
      reader.offset(),
      reader.atEnd() ? "The braces are not closed." : "Another matcher or the end was expected.",
      braced ? "`,` or `}`" : "`,`",
    );
  }
  reader.space();
  if (!reader.atEnd()) return fault(reader.offset(), "There is text behind the matchers.", "nothing behind `}`");
  return { ok: true, matchers };
}

interface Reader {
  space(): void;
  take(pattern: RegExp): string | undefined;
  offset(): number;
  atEnd(): boolean;
}

function createReader(text: string): Reader {
  let at = 0;
  const take = (pattern: RegExp) => {
    const sticky = new RegExp(pattern.source, "uy");
    sticky.lastIndex = at;
    const match = sticky.exec(text)?.[0];
    at += match?.length ?? 0;
    return match;
  };
  return { take, space: () => void take(/\s*/uy), offset: () => at, atEnd: () => at >= text.length };
}

function readMatcher(reader: Reader): Matcher | Omit<Extract<MatcherParse, { ok: false }>, "ok"> {
  const start = reader.offset();
  const quotedLabel = reader.take(/"(?:[^"\\\n]|\\.)+"/uy);
  const label = quotedLabel === undefined ? reader.take(/[A-Za-z_][A-Za-z0-9_]*/uy) : unquote(quotedLabel);
  if (label === undefined)
    return { message: "A label name was expected.", accepted: 'a matcher such as `severity="critical"`', offset: start };
  reader.space();
  const op = operatorOf(reader.take(/=~|!~|!=|=(?!=)/uy));
  if (op === undefined)
    return { message: `An operator was expected behind \`${label}\`.`, accepted: "`=`, `!=`, `=~` or `!~`", offset: reader.offset() };
  reader.space();
  const valueAt = reader.offset();
  const quoted = reader.take(/"(?:[^"\\\n]|\\.)*"/uy);
  const value = quoted === undefined ? reader.take(/[^\s"'`,{}=!~\\]+/uy) : unquote(quoted);
  if (value === undefined)
    return { message: `A value was expected behind \`${label}${op}\`.`, accepted: "a value in double quotes", offset: valueAt };
  const danger = op === "=~" || op === "!~" ? dangerOfRegex(value) : undefined;
  if (danger !== undefined) {
    return {
      message: `The regular expression of \`${label}\` ${danger}.`,
      accepted: "a pattern without nested repetition, up to 200 characters",
      offset: valueAt,
    };
  }
  return { label, op, value };
}

function operatorOf(text: string | undefined): Matcher["op"] | undefined {
  return text === "=" || text === "!=" || text === "=~" || text === "!~" ? text : undefined;
}

function unquote(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replaceAll(/\\(.)/gu, (_, character: string) =>
      character === "n" ? "\n" : character === '"' || character === "\\" ? character : `\\${character}`,
    );
}

function fault(offset: number, message: string, accepted: string): MatcherParse {
  return { ok: false, message, accepted, offset };
}

/**
 * Why a regular expression is not accepted, as the end of a sentence, or undefined.
 * Refused is what can take exponential time in a backtracking engine: repetition of a group that itself repeats or chooses,
 * references, look-around, and more than three open repetitions in one branch.
 */
export function dangerOfRegex(pattern: string): string | undefined {
  if (pattern.length > 200) return "is longer than 200 characters";
  try {
    void new RegExp(`^(?:${pattern})$`, "u");
  } catch {
    return "cannot be read";
  }
  if (/\\[1-9k]/u.test(pattern)) return "refers back to a group";
  const groups: Group[] = [createGroup()];
  for (let index = 0; index < pattern.length; index += 1) {
    const character = pattern[index] ?? "";
    const group = groups.at(-1);
    if (group === undefined) return "cannot be read";
    let closed: Group | undefined;
    if (character === "\\") index += 1;
    else if (character === "[") index = classEnd(pattern, index);
    else if (character === "(") {
      const remainingPattern = pattern.slice(index);
      if (/^\(\?(?:[=!]|<[=!])/u.test(remainingPattern)) return "looks around";
      groups.push(createGroup());
      index += (/^\(\?(?::|<[^>]*>)/u.exec(remainingPattern)?.[0].length ?? 1) - 1;
      continue;
    } else if (character === "|") {
      group.chooses = true;
      group.maxBranch = Math.max(group.maxBranch, group.branch);
      group.branch = 0;
      continue;
    } else if (character === ")") closed = groups.pop();
    const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/u.exec(pattern.slice(index + 1))?.[0];
    const optional = quantifier?.startsWith("?") === true;
    const repeats = quantifier !== undefined && !optional;
    const inner = closed === undefined ? 0 : Math.max(closed.maxBranch, closed.branch);
    if (repeats && closed !== undefined && (inner > 0 || closed.chooses)) return "repeats a group that itself repeats or chooses";
    const outer = groups.at(-1);
    if (outer === undefined) return "cannot be read";
    if (optional || closed?.chooses === true) outer.chooses = true;
    outer.branch += (repeats ? 1 : 0) + inner;
    if (outer.branch > 3) return "holds more than three repetitions in one branch";
    index += quantifier?.length ?? 0;
  }
  return undefined;
}

interface Group {
  /** Repetitions of the branch that is being read. */
  branch: number;
  /** Of the branch that had the most. */
  maxBranch: number;
  /** Whether it holds an alternative or an optional part. */
  chooses: boolean;
}

function createGroup(): Group {
  return { branch: 0, maxBranch: 0, chooses: false };
}

function classEnd(pattern: string, from: number): number {
  for (let index = from + 1; index < pattern.length; index += 1) {
    if (pattern[index] === "\\") index += 1;
    else if (pattern[index] === "]") return index;
  }
  return pattern.length;
}
