import { type LabelKind, wordings } from "./label.ts";

/**
 * A label that a reader sees and the machine does not read as one. `dress`: a label's own words, otherwise written (another colon, a link, a mark in front).
 * `words`: other words that promise what a label does. `weak`: words that often mean no more than they say.
 */
export interface HiddenLabel {
  readonly written: string;
  readonly meant: LabelKind;
  readonly strength: "dress" | "words" | "weak";
  /** Whether a colon of some kind stands behind it, and no other mark. */
  readonly hasColon: boolean;
}

/** Words that people write in place of a label's own. */
const otherWords: readonly (readonly [RegExp, LabelKind])[] = [
  [/\bapprov(?:al|als|e|er|ers|ed|es)\b|\bsign[ -]?off\b/u, "approval"],
  [
    /^(?:on|upon|in case of|after|at) (?:a |an )?(?:failures?|errors?|fail)\b|^(?:if|when) .{0,20}\bfail(?:s|ed|ure)?\b|^failure (?:policy|handling)$/u,
    "failure",
  ],
];

const weakWords: readonly (readonly [RegExp, LabelKind])[] = [
  [/^(?:retry|retries|failure|fallback)$/u, "failure"],
  [/^(?:roll ?back|revert|undo .{1,20}|how to undo)$/u, "undo"],
  [/^(?:time ?outs?|time limit)$/u, "timeout"],
  [/^(?:only (?:if|when)|run (?:if|when)|conditions?)$/u, "when"],
  [/^(?:expect|expects|expectations?|expected (?:output|outcome|results|value))$/u, "expected"],
  [/^(?:actions|run action)$/u, "action"],
];

/** Colons of other scripts, and signs that look like one; the compatibility forms are already plain by then. */
const colon = "[:\\u2236\\ua789\\u02d0\\u02f8\\u0589\\u05c3\\u205a\\u1361\\u1365\\u16ec\\u0703\\u0704\\u2982\\u1804]";
const words = "(\\p{L}[\\p{L}\\d -]{0,60}?)";
const withColon = new RegExp(`^${words}\\s*(?:\\([^)]{0,40}\\)\\s*)?(?:[^\\p{L}\\p{N}\\s]\\s*){0,3}?${colon}`, "u");
/** Whatever is no word and ends none: a dash, an arrow, a bracket, an emoji. */
const withMark = new RegExp(`^${words}\\s*(?:[^\\p{L}\\p{N}\\s,.'’/!?"]|$)`, "u");
const withRole = /^(approval)(?: (?:by|from|of|needs?|requires?|is))?(?: an?| the)? (?:operator|approver)s?\b/u;

/** Finds what looks like a label at the beginning of a line, Markdown or plain text. Pure. */
export function findHiddenLabel(line: string): HiddenLabel | undefined {
  const text = plainLead(line);
  const beforeColon = withColon.exec(text)?.[1]?.trim();
  if (beforeColon !== undefined) {
    const meaning = meaningOf(beforeColon);
    if (meaning !== undefined) return { ...meaning, written: beforeColon, hasColon: true };
  }
  const beforeMark = (withRole.exec(text) ?? withMark.exec(text))?.[1]?.trim();
  const meaning = beforeMark === undefined ? undefined : meaningOf(beforeMark);
  // A sentence may hold any word before a dash; only a label's own words, or nearly so, are taken for one.
  if (beforeMark === undefined || meaning === undefined || (meaning.strength !== "dress" && beforeMark === text.trim())) return undefined;
  // Other words before a dash or a bracket are as often a sentence.
  return { meant: meaning.meant, strength: meaning.strength === "dress" ? "dress" : "weak", written: beforeMark, hasColon: false };
}

function meaningOf(written: string): Pick<HiddenLabel, "meant" | "strength"> | undefined {
  const exact = Object.hasOwn(wordings, written) ? wordings[written] : undefined;
  if (exact !== undefined) return { meant: exact, strength: "dress" };
  if (written.split(" ").length > 6) return undefined;
  const other = otherWords.find(([pattern]) => pattern.test(written));
  if (other !== undefined) return { meant: other[1], strength: "words" };
  const weak = weakWords.find(([pattern]) => pattern.test(written));
  return weak === undefined ? undefined : { meant: weak[1], strength: "weak" };
}

/** The beginning of a line as a reader sees its words: without marks, tags, link targets, invisible characters and accents, in plain lower-case letters. */
function plainLead(line: string): string {
  const visible = line
    .slice(0, 400)
    .replace(/^(?:[\s>*+-]|\d+[.)])*\[[ xX]\]\s/u, "")
    .normalize("NFKD")
    .replaceAll(/[\p{M}\p{Cf}\p{Cc}\p{Co}]/gu, (character) => (character === "\t" ? " " : ""))
    .replaceAll(/[\u0370-\u03ff\u0400-\u04ff\u2010-\u2012]/gu, (character) => lookalikes[character] ?? character)
    .replaceAll(/<[^>]{0,100}>/gu, "")
    .replaceAll(/\]\s?(?:\([^)]{0,300}\)|\[[^\]]{0,100}\])/gu, "]")
    .replaceAll(/\[\^[^\]]{0,40}\]/gu, "")
    .replaceAll(/[*_`~\\[\]]/gu, "")
    .toLowerCase();
  return visible.replace(/^(?:[^\p{L}]|(?:[a-z]|[ivx]{1,4})[.)]\s)+/u, "").replaceAll(/\s+/gu, " ");
}

/** Letters of other scripts that look like Latin ones, and hyphens. */
const lookalikes: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Array.from("АВЕКМНОРСТХІЈЅУаеорсухіјѕкмтвнԁɡпг", (letter, index) => [
      letter,
      Array.from("ABEKMHOPCTXIJSYaeopcyxijskmtbhdgnr")[index] ?? letter,
    ]),
  ),
  ...Object.fromEntries(
    Array.from("ΑΒΕΗΙΚΜΝΟΡΤΧΥΖαεικνορτυχω", (letter, index) => [letter, Array.from("ABEHIKMNOPTXYZaeiknoptuxw")[index] ?? letter]),
  ),
  "‐": "-",
  "‑": "-",
  "‒": "-",
};
