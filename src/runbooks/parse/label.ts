import { type Paragraph, type PhrasingContent, plainText, spanOf } from "./markdown.ts";
import { editDistance } from "./reporter.ts";

/** Bullets of a step. */
export type LabelKind = "action" | "when" | "expected" | "failure" | "undo" | "approval" | "timeout";

/** The canonical wording of each bullet. */
export const labelNames: Readonly<Record<LabelKind, string>> = {
  action: "Action",
  when: "When",
  expected: "Expected",
  failure: "If this fails",
  undo: "Undo",
  approval: "Approval",
  timeout: "Timeout",
};

/** Words of each label, in lower case with single blanks. */
export const wordings: Readonly<Record<string, LabelKind>> = {
  action: "action",
  "command or action": "action",
  when: "when",
  expected: "expected",
  "expected result": "expected",
  "if this fails": "failure",
  "what to do if this fails": "failure",
  undo: "undo",
  approval: "approval",
  timeout: "timeout",
};

/** A bullet that begins with a known label. */
export interface Label {
  readonly kind: LabelKind;
  readonly written: string;
  /** Wording of the team's older documents, where prose is for people. */
  readonly isSeed: boolean;
  /** Offset where the bullet's text begins. */
  readonly start: number;
  readonly end: number;
  /** What stands behind the colon. */
  readonly value: readonly PhrasingContent[];
}

/** What a paragraph begins with: a known label, nearly one (which is reported), or prose. */
export type LabelReading =
  | { readonly kind: "label"; readonly label: Label }
  | { readonly kind: "near"; readonly written: string; readonly meant: LabelKind; readonly problem: "spelling" | "colon" }
  | { readonly kind: "prose" };

/** Reads the label of a paragraph: case-insensitive, may be bold or emphasised, the colon inside or outside. */
export function readLabel(paragraph: Paragraph): LabelReading {
  const [first, ...remaining] = paragraph.children;
  if (first === undefined) return { kind: "prose" };
  const span = spanOf(paragraph);
  if (first.type === "strong" || first.type === "emphasis") {
    const inner = plainText(first).trim();
    if (inner.endsWith(":")) return reading(inner.slice(0, -1), remaining, span);
    const [next, ...others] = remaining;
    const colon = next?.type === "text" ? /^\s*:/u.exec(next.value) : null;
    if (next?.type !== "text" || colon === null) return kindOf(inner) === undefined ? { kind: "prose" } : withoutColon(inner, remaining);
    return reading(inner, [{ ...next, value: next.value.slice(colon[0].length) }, ...others], span);
  }
  if (first.type !== "text") return { kind: "prose" };
  const match = /^\s*(\p{L}[\p{L} ]{0,60}?)\s{0,60}:/u.exec(first.value);
  if (match?.[1] === undefined) {
    const bare = first.value.trim();
    return kindOf(bare) === undefined ? { kind: "prose" } : withoutColon(bare, remaining);
  }
  return reading(match[1], [{ ...first, value: first.value.slice(match[0].length) }, ...remaining], span);
}

function withoutColon(written: string, remaining: readonly PhrasingContent[]): LabelReading {
  const meant = kindOf(written);
  return meant !== undefined && remaining[0] !== undefined ? { kind: "near", written, meant, problem: "colon" } : { kind: "prose" };
}

function reading(written: string, value: readonly PhrasingContent[], span: { readonly start: number; readonly end: number }): LabelReading {
  const kind = kindOf(written);
  if (kind !== undefined) {
    const isSeed = written.trim().toLowerCase().replaceAll(/\s+/gu, " ") !== labelNames[kind].toLowerCase();
    return { kind: "label", label: { kind, written: written.trim(), isSeed, ...span, value } };
  }
  const meant = nearlyKind(written);
  return meant === undefined ? { kind: "prose" } : { kind: "near", written: written.trim(), meant, problem: "spelling" };
}

function kindOf(written: string): LabelKind | undefined {
  const name = written.trim().toLowerCase().replaceAll(/\s+/gu, " ");
  return Object.hasOwn(wordings, name) ? wordings[name] : undefined;
}

/** The label that a misspelled one means. Short words differ from too many others by a letter, so only the longer labels are guessed. */
export function nearlyKind(written: string): LabelKind | undefined {
  const name = written.trim().toLowerCase();
  const match = Object.entries(wordings).find(
    ([wording]) =>
      wording.length >= 6 && Math.abs(wording.length - name.length) <= 2 && editDistance(name, wording) <= (wording.length > 6 ? 2 : 1),
  );
  return match?.[1];
}

/** Words that begin a labelled line, for the search in lines that nothing has read. */
export const labelPattern = Object.keys(wordings)
  .toSorted((a, b) => b.length - a.length)
  .map((wording) => wording.replaceAll(" ", "\\s+"))
  .join("|");
