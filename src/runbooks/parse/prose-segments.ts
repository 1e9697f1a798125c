import { type Nodes, plainText, spanOf } from "./markdown.ts";

/** A stretch of text that begins where a reader sees a line begin. */
export interface ProseSegment {
  /** With `\n` where only the source has another line. */
  readonly text: string;
  /** The text with a letter in the place of each code, where words are quoted. */
  readonly withoutCode: string;
  /** Offset of its beginning in the document. */
  readonly at: number;
  /** Whether it begins the block, and does not follow a line end inside of it. */
  readonly isFirst: boolean;
  /** Offsets of the lines that follow the first. */
  readonly lines: readonly number[];
  /** Whether every letter of it is bold or emphasised. */
  readonly isBold: boolean;
}

/** Ends of lines that Markdown takes for characters, and a reader and a terminal do not. */
const lineEnds = /[\v\f\u0085\p{Zl}\p{Zp}]/u;
/** Elements inside a line; every other one begins a new line. */
const inlineTag =
  /^<\/?(?:a|abbr|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|img|ins|kbd|mark|q|s|samp|small|span|strike|strong|sub|sup|tt|u|var|wbr)(?![a-z0-9-])/iu;

interface Draft {
  text: string;
  withoutCode: string;
  at: number | undefined;
  lines: number[];
  plainLetters: number;
}

/** Cuts a paragraph, a heading, a cell or a block of HTML at every line end that a reader sees. `text` is the whole document. */
export function proseSegments(block: Nodes, text: string): readonly ProseSegment[] {
  const drafts: Draft[] = [];
  const cut = () => drafts.push({ text: "", withoutCode: "", at: undefined, lines: [], plainLetters: 0 });
  cut();

  function append(piece: string, at: number, { isBold = false, isCode = false } = {}): void {
    const draft = drafts.at(-1);
    if (draft === undefined) return;
    if (piece.trim() !== "") draft.at ??= at + Math.max(0, text.slice(at, at + piece.length).search(/\S/u));
    if (!isBold && /\p{L}/u.test(piece)) draft.plainLetters += 1;
    draft.text += piece;
    draft.withoutCode += isCode ? "x" : piece;
  }

  /** `value` as it is read; the source has its line ends at the same places. */
  function appendLines(value: string, node: Nodes, isBold: boolean): void {
    let cursor = spanOf(node).start;
    for (const [index, line] of value.split("\n").entries()) {
      if (index > 0) {
        const next = text.indexOf("\n", cursor);
        cursor = next === -1 || next >= spanOf(node).end ? cursor : next + 1;
        const draft = drafts.at(-1);
        if (draft !== undefined) {
          draft.text += "\n";
          draft.withoutCode += "\n";
          draft.lines.push(cursor + (/^[\s>]*/u.exec(text.slice(cursor, cursor + 200))?.[0].length ?? 0));
        }
      }
      for (const [place, part] of line.split(lineEnds).entries()) {
        if (place > 0) {
          cut();
          cursor = behindLineEnd(text, cursor, spanOf(node).end);
        }
        append(part, cursor, { isBold });
      }
    }
  }

  /** Read in the source, as the node has lost its indentation. */
  function appendHtml(node: Nodes): void {
    const { start, end } = spanOf(node);
    for (const { 0: piece, index } of text.slice(start, end).matchAll(/<!--[\s\S]*?(?:-->|$)|<[^>]{0,2000}>|[\r\n]+|[^<\r\n]+|</gu)) {
      if (piece.startsWith("<!--")) continue;
      if (/^[\r\n]/u.test(piece)) cut();
      else if (!/^<[a-z/!?]/iu.test(piece)) append(decodeReferences(piece), start + index);
      else if (!inlineTag.test(piece)) cut();
    }
  }

  function visit(node: Nodes, isBold: boolean): void {
    if (node.type === "html") appendHtml(node);
    else if (node.type === "break") cut();
    else if (node.type === "text") appendLines(node.value, node, isBold);
    else if ("children" in node) {
      for (const child of node.children) visit(child, isBold || node.type === "strong" || node.type === "emphasis");
    } else if (node.type === "image" || node.type === "imageReference") append(node.alt ?? "", spanOf(node).start, { isBold });
    // What a definition says is not shown, and is read by who reads the source.
    else if (node.type === "definition") append(text.slice(spanOf(node).start, spanOf(node).end), spanOf(node).start);
    else append(plainText(node), spanOf(node).start, { isBold, isCode: node.type === "inlineCode" });
  }

  visit(block, false);
  return drafts.flatMap((draft, index) =>
    draft.at === undefined ? [] : [{ ...draft, at: draft.at, isFirst: index === 0, isBold: draft.plainLetters === 0 }],
  );
}

function behindLineEnd(text: string, from: number, end: number): number {
  const pattern = new RegExp(lineEnds, "gu");
  pattern.lastIndex = from;
  const match = pattern.exec(text);
  return match === null || match.index >= end ? from : match.index + 1;
}

const references: Readonly<Record<string, string>> = { amp: "&", colon: ":", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " ", vert: "|" };

function decodeReferences(text: string): string {
  return text.replaceAll(/&(#\d{1,7}|#x[\da-f]{1,6}|[a-z]{1,31});/giu, (_all, name: string) => {
    if (!name.startsWith("#")) return Object.hasOwn(references, name) ? (references[name] ?? "") : "";
    const code = /^#x/iu.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code > 0 && code <= 0x10_ff_ff ? String.fromCodePoint(code) : "";
  });
}
