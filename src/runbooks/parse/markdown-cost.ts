/** What makes a text too costly to be read as Markdown; `offset` is where. */
export interface MarkdownCost {
  readonly offset: number;
  readonly message: string;
  readonly accepted: string;
}

/** Lists and quotes inside each other; the parser is recursive. */
const maxDepth = 16;
/** Each level of a list indents by at least two columns. */
const maxIndent = 60;
const maxLines = 3000;
/** Backticks in a row: for each length the parser looks once to the end of the paragraph. */
const maxTicks = 16;
/** Characters that may begin something which the parser then looks for to the end of the paragraph. */
const maxOpeners = 5000;

/**
 * The first reason why a text would take the Markdown parser more than about a second, found in one pass; undefined for every text that a person writes.
 * The parser's time grows with the square of some constructs, and with the depth of others.
 */
export function findMarkdownCost(text: string): MarkdownCost | undefined {
  let lines = 0;
  let openers = 0;
  for (const { 0: line, index } of text.matchAll(/[^\r\n]+|\r\n|[\r\n]/gu)) {
    if (/^[\r\n]/u.test(line)) {
      lines += 1;
      if (lines > maxLines) return cost(index, "The document has too many lines.", `at most ${maxLines} lines`);
      continue;
    }
    const markers = /^(?:[ \t]*(?:>|[-+*](?=[ \t]|$)|\d{1,9}[.)](?=[ \t]|$)))+/u.exec(line)?.[0] ?? "";
    const depth = markers.replaceAll(/\d+|[ \t]/gu, "").replaceAll(/[.)]/gu, "-").length;
    const indent = /^[ \t]*/u.exec(line)?.[0].replaceAll("\t", "    ").length ?? 0;
    if (depth > maxDepth || (depth > 0 && indent > maxIndent))
      return cost(
        index,
        "Lists or quotes are nested too deeply.",
        `at most ${maxDepth} levels in a line, and an indentation of ${maxIndent} columns`,
      );
    const ticks = line.search(/`{17}/u);
    if (ticks !== -1) return cost(index + ticks, "Too many backticks follow each other.", `at most ${maxTicks}`);
    for (const { index: at } of line.matchAll(/[[\]<!\\]|&(?=\w)|\*+|_+|~+|`+/gu)) {
      openers += 1;
      if (openers > maxOpeners)
        return cost(
          index + at,
          "The document holds too many brackets and marks.",
          `at most ${maxOpeners} of brackets, \`<\`, \`!\`, \`&\`, backslashes, and rows of \`*\`, \`_\`, \`~\` and backticks`,
        );
    }
  }
  return undefined;
}

function cost(offset: number, message: string, accepted: string): MarkdownCost {
  return { offset, message, accepted };
}
