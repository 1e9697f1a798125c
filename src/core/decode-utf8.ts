/** Text, or the place (both from 1, columns in UTF-16 units) of the first byte that is no UTF-8, with a sentence. */
export type DecodedText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly line: number; readonly column: number; readonly message: string };

/** Decodes a file that people hand in. A byte order mark is left out unless it is to be kept; nothing is replaced: what is no UTF-8 is a fault. */
export function decodeUtf8(bytes: Uint8Array, { keepMark = false }: { readonly keepMark?: boolean } = {}): DecodedText {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    return { ok: false, line: 1, column: 1, message: "The file is UTF-16; save it as UTF-8." };
  const text = textOf(bytes, keepMark);
  if (text !== undefined) return { ok: true, text };
  const before = readableBefore(bytes);
  const lines = before.split("\n");
  const wrong = bytes[new TextEncoder().encode(before).length] ?? 0;
  return {
    ok: false,
    line: lines.length,
    column: (lines.at(-1)?.length ?? 0) + 1,
    message: `The byte 0x${wrong.toString(16).padStart(2, "0")} is no UTF-8. Save the file as UTF-8.`,
  };
}

function textOf(bytes: Uint8Array, keepMark: boolean): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: keepMark }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The text of every whole character before the first byte that is wrong. */
function readableBefore(bytes: Uint8Array): string {
  // A prefix that ends within a character is no fault yet, so that being wrong only ever begins with length.
  const begin = (length: number): string | undefined => {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length), { stream: true });
    } catch {
      return undefined;
    }
  };
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (begin(middle) === undefined) bad = middle;
    else good = middle;
  }
  return begin(good) ?? "";
}
