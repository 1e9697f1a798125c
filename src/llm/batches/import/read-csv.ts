import type { FilePlace, ImportFault } from "./import-fault.ts";

/** One field and where it begins. */
export interface CsvField extends FilePlace {
  readonly text: string;
}

/** One record; a field in quotes may go over several lines. */
export type CsvRecord = readonly CsvField[];

/**
 * Splits CSV (RFC 4180: comma, double quotes, quotes doubled inside) into records with places. Line ends are LF or CRLF, a BOM and empty lines are
 * passed over. Faults never hide what follows them, except an unclosed quote, behind which nothing can be told.
 */
export function readCsv(source: string): { readonly records: readonly CsvRecord[]; readonly faults: readonly ImportFault[] } {
  const text = source.startsWith("\uFEFF") ? source.slice(1) : source;
  const records: CsvRecord[] = [];
  const faults: ImportFault[] = [];
  let fields: CsvField[] = [];
  let at = 0;
  let line = 1;
  let lineStart = 0;
  const here = (): FilePlace => ({ line, column: at - lineStart + 1 });
  const newline = () => {
    line += 1;
    lineStart = at;
  };

  const quoted = (): string => {
    const opened = here();
    at += 1;
    let value = "";
    for (;;) {
      const end = text.indexOf('"', at);
      const part = text.slice(at, end < 0 ? text.length : end);
      for (let newlineAt = part.indexOf("\n"); newlineAt >= 0; newlineAt = part.indexOf("\n", newlineAt + 1)) {
        line += 1;
        lineStart = at + newlineAt + 1;
      }
      value += part;
      if (end < 0) {
        at = text.length;
        faults.push({ ...opened, message: 'This quote is never closed; a quote inside a quoted field is written twice ("").' });
        return value;
      }
      at = end + 1;
      if (text[at] !== '"') return value;
      value += '"';
      at += 1;
    }
  };
  const readToDelimiter = (): string => {
    const from = at;
    while (at < text.length && text[at] !== "," && text[at] !== "\n") at += 1;
    const part = text.slice(from, at);
    return text[at] === "\n" && part.endsWith("\r") ? part.slice(0, -1) : part;
  };
  const bare = (): string => {
    const place = here();
    const value = readToDelimiter();
    const stray = value.indexOf('"');
    if (stray >= 0) {
      faults.push({
        ...place,
        column: place.column + stray,
        message: "A quote inside a field; put the whole field into quotes, and write the quote twice.",
      });
    }
    return value;
  };
  const field = (): void => {
    const place = here();
    if (text[at] !== '"') return void fields.push({ ...place, text: bare() });
    const value = quoted();
    const after = here();
    const extra = readToDelimiter();
    if (extra !== "") faults.push({ ...after, message: "Text behind a closing quote; accepted is a comma or the end of the line." });
    fields.push({ ...place, text: value });
  };

  while (at < text.length) {
    field();
    const isLast = at >= text.length;
    if (!isLast && text[at] === ",") {
      at += 1;
      // A comma at the very end opens one more, empty field.
      if (at >= text.length) fields.push({ ...here(), text: "" });
      else continue;
    }
    if (fields.length > 1 || fields[0]?.text !== "") records.push(fields);
    fields = [];
    if (at < text.length) {
      at += 1;
      newline();
    }
  }
  return { records, faults };
}
