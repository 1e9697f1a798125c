/** A value within a JSON text: from its first character to the one behind its last. */
export interface JsonSpan {
  readonly from: number;
  readonly to: number;
}

/** A member of an object: its decoded key, where the key is written (with its quotes), and its value. */
export interface JsonMember {
  readonly key: string;
  readonly written: JsonSpan;
  readonly value: JsonSpan;
}

/** The members of the object that begins at `from` or behind white space there. The text must be one that JSON.parse accepts. */
export function membersOf(text: string, from = 0): readonly JsonMember[] {
  const members: JsonMember[] = [];
  let at = skipSpace(text, skipSpace(text, from) + 1);
  while (text[at] === '"') {
    const written = { from: at, to: endOfString(text, at) };
    const value = valueAt(text, skipSpace(text, written.to) + 1);
    members.push({ key: String(JSON.parse(text.slice(written.from, written.to))), written, value });
    at = skipSpace(text, value.to);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return members;
}

/** The elements of the list that begins at `from` or behind white space there. The text must be one that JSON.parse accepts. */
export function elementsOf(text: string, from = 0): readonly JsonSpan[] {
  const elements: JsonSpan[] = [];
  let at = skipSpace(text, skipSpace(text, from) + 1);
  while (at < text.length && text[at] !== "]") {
    const value = valueAt(text, at);
    elements.push(value);
    at = skipSpace(text, value.to);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return elements;
}

function valueAt(text: string, from: number): JsonSpan {
  const start = skipSpace(text, from);
  return { from: start, to: endOfValue(text, start) };
}

/** Counts brackets instead of calling itself, so that no depth is too deep. */
function endOfValue(text: string, start: number): number {
  let at = start;
  let depth = 0;
  do {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === "{" || character === "[") [at, depth] = [at + 1, depth + 1];
    else if (character === "}" || character === "]") [at, depth] = [at + 1, depth - 1];
    else if (depth > 0) at += 1;
    else while (at < text.length && !/[\s,\]}]/.test(text[at] ?? "")) at += 1;
  } while (depth > 0 && at < text.length);
  return at;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at += 1;
  return at;
}
