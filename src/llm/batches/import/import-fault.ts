/** A place in a file that people count from 1. */
export interface FilePlace {
  readonly line: number;
  /** In UTF-16 units, as editors count. */
  readonly column: number;
}

/** One thing that is wrong with a file of tickets: where, what, and what would be accepted. */
export interface ImportFault extends FilePlace {
  readonly message: string;
}

/** Turns offsets of a text into lines and columns. */
export function createPlaces(text: string): (offset: number) => FilePlace {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
