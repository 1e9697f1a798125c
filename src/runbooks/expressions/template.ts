/** A text cut at its `${{ }}`; offsets are of the text. */
export type TemplatePart =
  | { readonly kind: "text"; readonly text: string; readonly start: number; readonly end: number }
  | { readonly kind: "expression"; readonly source: string; readonly sourceStart: number; readonly start: number; readonly end: number };

/** The parts of a text, or where a `${{` has no end. */
export type TemplateSplit =
  | { readonly ok: true; readonly parts: readonly TemplatePart[] }
  | { readonly ok: false; readonly message: string; readonly offset: number };

/** Cuts a text at `${{ expr }}`. Braces and quotes inside an expression are respected, so that a map or a text may hold `}}`. */
export function splitTemplates(text: string): TemplateSplit {
  const parts: TemplatePart[] = [];
  let from = 0;
  for (;;) {
    const start = text.indexOf("${{", from);
    if (start === -1) break;
    const end = templateEnd(text, start + 3);
    if (end === undefined) return { ok: false, message: "A `${{` has no matching `}}`.", offset: start };
    if (start > from) parts.push({ kind: "text", text: text.slice(from, start), start: from, end: start });
    const inner = text.slice(start + 3, end - 2);
    const source = inner.trim();
    const sourceStart = start + 3 + (inner.length - inner.trimStart().length);
    parts.push({ kind: "expression", source, sourceStart, start, end });
    from = end;
  }
  if (from < text.length || parts.length === 0) parts.push({ kind: "text", text: text.slice(from), start: from, end: text.length });
  return { ok: true, parts };
}

/** Whether a text holds a template, balanced or not. */
export function hasTemplate(text: string): boolean {
  return text.includes("${{");
}

function templateEnd(text: string, from: number): number | undefined {
  let quote: string | undefined;
  let depth = 0;
  for (let index = from; index < text.length; index += 1) {
    const character = text[index] ?? "";
    if (quote !== undefined) {
      if (character === "\\") index += 1;
      else if (character === quote) quote = undefined;
    } else if (character === '"' || character === "'") quote = character;
    else if (character === "{") depth += 1;
    else if (character === "}") {
      if (depth > 0) depth -= 1;
      else return text[index + 1] === "}" ? index + 2 : undefined;
    }
  }
  return undefined;
}
