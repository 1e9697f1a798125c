import { splitTemplates } from "./template.ts";

/** A `${{ }}` of a query. `text`: inside quotes. `regex`: inside quotes behind `=~` or `!~`. `number`: outside quotes. */
export interface PromqlHole {
  readonly source: string;
  readonly sourceStart: number;
  readonly start: number;
  readonly end: number;
  readonly place: "text" | "regex" | "number";
}

/** A query of equal length in which every template is filled with a harmless stand-in, so that it parses and offsets stay true. */
export type MaskedPromql =
  | { readonly ok: true; readonly masked: string; readonly holes: readonly PromqlHole[] }
  | { readonly ok: false; readonly message: string; readonly offset: number };

/** Finds every template of a query and where it stands. Raw strings and comments cannot hold one, as nothing can be escaped there. */
export function maskPromql(query: string): MaskedPromql {
  const split = splitTemplates(query);
  if (!split.ok) return split;
  const holes: PromqlHole[] = [];
  let masked = "";
  let quote: string | undefined;
  let comment = false;
  let regex = false;
  for (const part of split.parts) {
    if (part.kind === "text") {
      for (let index = 0; index < part.text.length; index += 1) {
        const character = part.text[index] ?? "";
        if (comment) {
          if (character === "\n" || character === "\r") comment = false;
        } else if (quote !== undefined) {
          if (character === "\\" && quote !== "`") {
            masked += character;
            index += 1;
            masked += part.text[index] ?? "";
            continue;
          }
          if (character === quote) quote = undefined;
        } else if (character === '"' || character === "'" || character === "`") {
          quote = character;
          regex = /[=!]~\s*$/u.test(masked);
        } else if (character === "#") comment = true;
        masked += character;
      }
      continue;
    }
    if (comment) return { ok: false, message: "A comment of a query cannot hold `${{ }}`.", offset: part.start };
    if (quote === "`") return { ok: false, message: "A raw string of a query cannot hold `${{ }}`.", offset: part.start };
    const place = quote === undefined ? "number" : regex ? "regex" : "text";
    holes.push({ source: part.source, sourceStart: part.sourceStart, start: part.start, end: part.end, place });
    const width = part.end - part.start;
    masked += place === "number" ? "1".padEnd(width, " ") : "x".repeat(width);
  }
  return { ok: true, masked, holes };
}
