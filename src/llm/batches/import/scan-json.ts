/** Deepest nesting that is read; a deeper one could exhaust the stack of a function that walks it. */
export const deepestJson = 32;

/** What a scan saw: where the first fault is and what would be accepted there, or where members stand. */
export type JsonScan =
  | { readonly ok: true; readonly placeOf: (path: string) => number | undefined }
  | { readonly ok: false; readonly offset: number; readonly expected: string };

class Unreadable extends Error {
  readonly offset: number;
  readonly expected: string;
  constructor(offset: number, expected: string) {
    super(expected);
    this.offset = offset;
    this.expected = expected;
  }
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// JSON permits neither raw control characters in a string nor escapes of its own invention.
const plainText = /[^"\\\p{Cc}]*/uy;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const blank = /[ \t\r\n]*/y;

/**
 * Reads JSON (RFC 8259) only for the places in it: of the first fault, and of values at most two levels down by path (`/3/title`).
 * `JSON.parse` does the reading; this says where, which it does not.
 */
export function scanJson(text: string): JsonScan {
  const places = new Map<string, number>();
  let at = 0;

  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    at = match === null ? at : pattern.lastIndex;
    return match !== null && match[0] !== "";
  };
  const fault = (expected: string): never => {
    throw new Unreadable(at, expected);
  };
  const take = (character: string): boolean => {
    if (text[at] !== character) return false;
    at += 1;
    return true;
  };
  const string = (): string => {
    const from = at;
    if (!take('"')) return fault('a text in double quotes (")');
    for (;;) {
      if (take('"')) return String(JSON.parse(text.slice(from, at)));
      if (skip(plainText) || skip(escape)) continue;
      // DEL and the C1 controls are control characters to Unicode, and permitted to JSON.
      if ((text.codePointAt(at) ?? 0) >= 0x7f) at += 1;
      else
        fault(
          at >= text.length ? 'a closing quote (")' : "a character that JSON permits in a text; control characters are written as \\u….",
        );
    }
  };
  const value = (path: string, depth: number): void => {
    if (depth > deepestJson) fault(`at most ${deepestJson} levels of nesting`);
    skip(blank);
    if (depth <= 3) places.set(path, at);
    if (text[at] === '"') return void string();
    if (take("{")) return members(path, depth);
    if (take("[")) return items(path, depth);
    if (skip(number)) return;
    for (const word of ["true", "false", "null"]) {
      if (!text.startsWith(word, at)) continue;
      at += word.length;
      return;
    }
    fault("a JSON value");
  };
  const members = (path: string, depth: number): void => {
    skip(blank);
    if (take("}")) return;
    do {
      skip(blank);
      const name = string();
      skip(blank);
      if (!take(":")) fault("a colon (:)");
      value(`${path}/${name}`, depth + 1);
      skip(blank);
    } while (take(","));
    if (!take("}")) fault("a comma (,) or a closing brace (})");
  };
  const items = (path: string, depth: number): void => {
    skip(blank);
    if (take("]")) return;
    let index = 0;
    do {
      value(`${path}/${index}`, depth + 1);
      index += 1;
      skip(blank);
    } while (take(","));
    if (!take("]")) fault("a comma (,) or a closing bracket (])");
  };

  try {
    value("", 1);
    skip(blank);
    if (at < text.length) fault("nothing more; the JSON value ends before");
    return { ok: true, placeOf: (path) => places.get(path) };
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, offset: error.offset, expected: error.expected };
    throw error;
  }
}
