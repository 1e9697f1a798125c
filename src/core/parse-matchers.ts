import type { Matcher } from "../../packages/sdk/src/wire/runbooks.ts";
import { readPattern } from "./linear-pattern.ts";
import { matchesValue } from "./matcher.ts";

/** The matchers of a text, or the first fault with its offset and what would be accepted. */
export type MatcherParse =
  | { readonly ok: true; readonly matchers: readonly Matcher[] }
  | { readonly ok: false; readonly message: string; readonly accepted: string; readonly offset: number };

/**
 * Reads a trigger: Alertmanager's matcher syntax, or a name that matches `alertname`, alone or before braces: `Name`, `Name{a="b"}`.
 * Matchers that every alert satisfies are refused.
 */
export function parseMatchers(text: string): MatcherParse {
  const name = /^\s*([A-Za-z_][A-Za-z0-9_:]*)\s*(?=\{|$)/u.exec(text);
  const named: readonly Matcher[] = name?.[1] === undefined ? [] : [{ label: "alertname", op: "=", value: name[1] }];
  const parsed = readFrom(text, name?.[0].length ?? 0);
  if (!parsed.ok) return parsed;
  const matchers = [...named, ...parsed.matchers];
  if (matchers.every((matcher) => matchesValue(matcher, "")))
    return fault(0, "This would match every alert.", "an alert name, or a matcher that an empty label does not satisfy");
  return { ok: true, matchers };
}

/**
 * Reads matchers as the UTF-8 parser of Alertmanager does: a list with or without braces, names and values in double quotes or bare, Go's escapes.
 * https://prometheus.io/docs/alerting/latest/configuration/#utf-8-matchers
 */
export function readMatchers(text: string): MatcherParse {
  return readFrom(text, 0);
}

/**
 * Reads matchers as versions before 0.27 did, and as later ones still do when their UTF-8 parser refuses: bare values may hold anything but a comma, or be empty,
 * and a backslash before an unknown letter stays a backslash.
 */
export function readClassicMatchers(text: string): MatcherParse {
  const inner = text.replace(/^\{/u, "").replace(/\}$/u, "");
  const from = text.startsWith("{") ? 1 : 0;
  const matchers: Matcher[] = [];
  let offset = from;
  const parts = splitAtCommas(inner);
  for (const [index, part] of parts.entries()) {
    if (index < parts.length - 1 || part.trim() !== "") {
      const matcher = readClassicMatcher(part, offset);
      if ("message" in matcher) return matcher;
      matchers.push(matcher);
    }
    offset += part.length + 1;
  }
  return { ok: true, matchers };
}

function splitAtCommas(text: string): readonly string[] {
  const parts: string[] = [];
  let [from, isQuoted] = [0, false];
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === "\\") index += 1;
    else if (text[index] === '"') isQuoted = !isQuoted;
    else if (text[index] === "," && !isQuoted) {
      parts.push(text.slice(from, index));
      from = index + 1;
    }
  }
  return [...parts, text.slice(from)];
}

function readClassicMatcher(part: string, offset: number): Matcher | Extract<MatcherParse, { ok: false }> {
  const [, before = "", label = "", operator = ""] = /^(\s*)([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!=|!~|=)/u.exec(part) ?? [];
  const op = operatorOf(operator);
  if (op === undefined) return noMatcher(offset);
  const valueAt = part.indexOf(operator, before.length + label.length) + operator.length;
  const written = part.slice(valueAt).trim();
  const isQuoted = written.startsWith('"');
  const inner = isQuoted ? written.slice(1, -1) : written;
  if ((isQuoted && (written.length < 2 || !written.endsWith('"'))) || /^(?:[^\\"]|\\[^])*"/u.test(inner))
    return fault(offset + valueAt, `A value was expected behind \`${label}${op}\`.`, "a value in double quotes");
  const value = inner.replaceAll(/\\(["\\n])/gu, (_, letter: string) => (letter === "n" ? "\n" : letter));
  return patternFault({ label, op, value }, offset + valueAt) ?? { label, op, value };
}

/** What Go's `unicode.IsSpace` names. */
const space = "\\t-\\r \\u0085\\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000";
const spaces = new RegExp(`[${space}]*`, "uy");
const bareText = new RegExp(`[^${space}{}!=~,\\\\"'\`]+`, "uy");
const quotedText = /"(?:[^"\\]|\\[^])*"/uy;
const operators = /=~|!=|!~|=/uy;

interface Reader {
  /** The text that the sticky pattern takes at the place that is read next, behind white space; undefined when it does not fit there. */
  take(pattern: RegExp): string | undefined;
  offset(): number;
  atEnd(): boolean;
}

function createReader(text: string, from: number): Reader {
  let at = from;
  const exec = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const skip = () => {
    at += exec(spaces)?.length ?? 0;
  };
  skip();
  return {
    take(pattern) {
      const taken = exec(pattern);
      if (taken === undefined) return undefined;
      at += taken.length;
      skip();
      return taken;
    },
    offset: () => at,
    atEnd: () => at >= text.length,
  };
}

function readFrom(text: string, from: number): MatcherParse {
  const reader = createReader(text, from);
  const matchers: Matcher[] = [];
  const isBraced = reader.take(/\{/uy) !== undefined;
  const isOver = () => (isBraced ? reader.take(/\}/uy) !== undefined : reader.atEnd());
  while (!isOver()) {
    if (isBraced && reader.atEnd()) return fault(reader.offset(), "The braces are not closed.", "`,` or `}`");
    const matcher = readMatcher(reader);
    if ("message" in matcher) return matcher;
    matchers.push(matcher);
    if (reader.take(/,/uy) !== undefined) continue;
    if (isOver()) break;
    return reader.atEnd()
      ? fault(reader.offset(), "The braces are not closed.", "`,` or `}`")
      : fault(reader.offset(), "Another matcher or the end was expected.", isBraced ? "`,` or `}`" : "`,`");
  }
  if (!reader.atEnd()) return fault(reader.offset(), "There is text behind the matchers.", "nothing behind `}`");
  return { ok: true, matchers };
}

function readMatcher(reader: Reader): Matcher | Extract<MatcherParse, { ok: false }> {
  const start = reader.offset();
  const label = readText(reader);
  if (label === undefined) return noMatcher(start);
  if (label === unreadable) return badEscape(start);
  const opAt = reader.offset();
  const op = operatorOf(reader.take(operators) ?? "");
  if (op === undefined) return fault(opAt, `An operator was expected behind \`${label}\`.`, "`=`, `!=`, `=~` or `!~`");
  const valueAt = reader.offset();
  const value = readText(reader);
  if (value === undefined) return fault(valueAt, `A value was expected behind \`${label}${op}\`.`, "a value in double quotes");
  if (value === unreadable) return badEscape(valueAt);
  return patternFault({ label, op, value }, valueAt) ?? { label, op, value };
}

const unreadable = Symbol("quoted text that Go cannot unquote");

function readText(reader: Reader): string | typeof unreadable | undefined {
  const quoted = reader.take(quotedText);
  return quoted === undefined ? reader.take(bareText) : unquote(quoted);
}

const letters: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, "\\": 92 };

/** As Go's `strconv.Unquote`: escaped bytes make UTF-8 together. */
function unquote(quoted: string): string | typeof unreadable {
  const bytes: Buffer[] = [];
  const token = /\\(?:([abtnvfr"\\])|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|[^\\\n]+/uy;
  const inner = quoted.slice(1, -1);
  while (token.lastIndex < inner.length) {
    const match = token.exec(inner);
    if (match === null) return unreadable;
    const [whole, letter, hexadecimal, octal, short, long] = match;
    const byte = letter === undefined ? (numberOf(hexadecimal, 16) ?? numberOf(octal, 8)) : letters[letter];
    const point = numberOf(short ?? long, 16);
    if (point !== undefined && (point > 0x10_ffff || (point >= 0xd800 && point <= 0xdfff))) return unreadable;
    bytes.push(byte === undefined ? Buffer.from(point === undefined ? whole : String.fromCodePoint(point)) : Buffer.from([byte]));
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(bytes));
  } catch {
    return unreadable;
  }
}

function numberOf(digits: string | undefined, base: number): number | undefined {
  return digits === undefined ? undefined : Number.parseInt(digits, base);
}

function patternFault({ label, op, value }: Matcher, offset: number): Extract<MatcherParse, { ok: false }> | undefined {
  const reading = op === "=~" || op === "!~" ? readPattern(value) : undefined;
  if (reading === undefined || reading.ok) return undefined;
  return fault(offset, `The regular expression of \`${label}\` ${reading.fault}.`, "a regular expression in RE2's syntax");
}

function operatorOf(text: string): Matcher["op"] | undefined {
  return text === "=" || text === "!=" || text === "=~" || text === "!~" ? text : undefined;
}

function noMatcher(offset: number): Extract<MatcherParse, { ok: false }> {
  return fault(offset, "A label name was expected.", 'a matcher such as `severity="critical"`');
}

function badEscape(offset: number): Extract<MatcherParse, { ok: false }> {
  return fault(
    offset,
    "The text in quotes holds a line end, an unknown escape, or bytes that are no UTF-8.",
    'escapes such as `\\\\`, `\\"`, `\\n` or `\\t`',
  );
}

function fault(offset: number, message: string, accepted: string): Extract<MatcherParse, { ok: false }> {
  return { ok: false, message, accepted, offset };
}
