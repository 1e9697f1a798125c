import type { Position } from "../../../packages/sdk/src/wire/runbooks.ts";

/** Turns an offset of a text (UTF-16 units) into line and column of the file as it is. */
export interface Locator {
  readonly source: string;
  positionOf(offset: number): Position;
  /** Offset of the first character of a 1-based line; the end of the text for a line behind the last. */
  lineStart(line: number): number;
  readonly lines: number;
}

/** Lines end at CRLF, LF or CR, as in CommonMark; columns count code points, a byte order mark included. */
export function createLocator(source: string): Locator {
  const starts = [0];
  for (const ending of source.matchAll(/\r\n|\n|\r/gu)) starts.push(ending.index + ending[0].length);
  return {
    source,
    lines: starts.length,
    lineStart: (line) => starts[line - 1] ?? source.length,
    positionOf: (offset) => {
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        if ((starts[middle] ?? 0) <= offset) low = middle;
        else high = middle - 1;
      }
      const start = starts[low] ?? 0;
      const before = source.slice(start, Math.max(start, offset));
      // A surrogate pair is one character.
      const pairs = before.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0;
      return { line: low + 1, column: before.length - pairs + 1 };
    },
  };
}
