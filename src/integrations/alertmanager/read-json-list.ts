import { yieldToEventLoop } from "../../core/clock.ts";

/** Characters that are read before others get their turn: some milliseconds. */
const sliceCharacters = 256 * 1024;

/** Reads one JSON list item by item, with turns for others in between, however long it is. False when the text is no JSON list. */
export async function readJsonList(text: string, take: (item: unknown) => void): Promise<boolean> {
  let at = skipBlanks(text, 0);
  if (text[at] !== "[") return false;
  at = skipBlanks(text, at + 1);
  if (text[at] === "]") return skipBlanks(text, at + 1) === text.length;
  let sliceFrom = at;
  for (;;) {
    const end = endOfValue(text, at);
    const item = parse(text.slice(at, end));
    if (item === undefined) return false;
    take(item.value);
    at = skipBlanks(text, end);
    if (text[at] === "]") return skipBlanks(text, at + 1) === text.length;
    if (text[at] !== ",") return false;
    at = skipBlanks(text, at + 1);
    if (at - sliceFrom < sliceCharacters) continue;
    await yieldToEventLoop();
    sliceFrom = at;
  }
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\r\n".includes(text.charAt(at))) at += 1;
  return at;
}

/** Where the value that begins at `from` ends, if it is one; its syntax is left to the parser. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    switch (text.charAt(at)) {
      case '"':
        at = endOfString(text, at);
        break;
      case "{":
      case "[":
        depth += 1;
        break;
      case "}":
      case "]":
        if (depth === 0) return at;
        depth -= 1;
        if (depth === 0) return at + 1;
        break;
      case ",":
        if (depth === 0) return at;
        break;
      default:
    }
  }
  return text.length;
}

/** The index of the quote that closes the string which opens at `from`. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at += 1) {
    const character = text[at];
    if (character === "\\") at += 1;
    else if (character === '"') return at;
  }
  return text.length;
}
