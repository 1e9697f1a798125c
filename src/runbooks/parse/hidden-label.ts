import { type LabelKind, nearlyKind, wordings } from "./label.ts";
import { plainLetters } from "./plain-letters.ts";

/**
 * A label that a reader sees and the machine does not read as one. `dress`: a label's own words, otherwise written (another colon, a link, a mark in front).
 * `words`: other words that promise what a label does. `weak`: words that often mean no more than they say.
 */
export interface HiddenLabel {
  readonly written: string;
  readonly meant: LabelKind;
  readonly strength: "dress" | "words" | "weak";
  /**
   * What makes it a label: a colon of some kind or another mark behind it, a value such as a role, that nothing else is said, words that promise it,
   * or that it leads a sentence about a role.
   */
  readonly sign: "colon" | "mark" | "value" | "alone" | "promise" | "lead";
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
const colon = "[:\\u2236\\u2237\\ua789\\u02f8\\u0589\\u05c3\\u205a\\u205d\\u1361\\u1365\\u1366\\u16ec\\u0703\\u0704\\u2982\\u1803\\u1804]";
const words = "(\\p{L}[\\p{L}\\d -]{0,60}?)";
const withColon = new RegExp(`^${words}\\s*(?:\\([^)]{0,40}\\)\\s*)?(?:[^\\p{L}\\p{N}\\s]\\s*){0,3}?${colon}`, "u");
/** Whatever is no word and ends none: a dash, an arrow, a bracket, an emoji. */
const withMark = new RegExp(`^${words}\\s*(?:[^\\p{L}\\p{N}\\s,.'’/!?"]|$)`, "u");

const people =
  "(?:(?:by|from|of|an?|the|one|two|three|\\d|any|every|another|second|on-call|duty|human)[ -]){0,4}(?:operator|approver)s?" +
  "(?: of \\d)?(?: within \\d+ ?[a-z]{1,7})?";
const need = "(?:requires?|required|needs?|needed|must have|waits? for|awaits?|subject to|pending|gates?|gated by)";
const consent = "(?:approvals?|sign-?off)";
const end = "(?=[^\\p{L}\\p{N}]*(?:$|[.;)\\]|]))";
/** Between a label's words and its value; a hyphen within a word is none. */
const between = "\\s*(?:\\([^)]{0,40}\\)\\s*)?(?:[^\\p{L}\\p{N}\\s,.'’/!?\")\\]}-]\\s*|(?<=\\s)-+>?\\s)+";
const role = `${people}(?: (?:approvals?|sign-?off|only))?(?: (?:is |are )?(?:required|needed|necessary))?${end}`;
const withRole = new RegExp(`^(approval)(?: (?:by|from|of|needs?|requires?|is))?[^\\p{L}\\p{N}]*${role}`, "u");
const leadsToRole = new RegExp(`^(approval)(?: (?:by|from|of|needs?|requires?|is))? ${people}(?!\\p{L})`, "u");
/** Any words, and a role behind them as their whole value; what is needed, and an approval as the value. */
const roleAsValue = new RegExp(`^${words}${between}${role}`, "u");
const approvalAsValue = new RegExp(
  `^(?:(${need}|(?:operator|approver)s?)${between}(?:[\\p{L}\\p{N}-]+ ){0,3}${consent}(?: ${people})?` +
    `|(gates?|gated by)${between}(?:an? )?(?:human|manual|person|people|required|yes|true))${end}`,
  "u",
);
const timeAsValue = /^(timeout)(?: of| is)? \d+ ?(?:ms|s|m|h|d|seconds?|minutes?|hours?)(?![\p{L}\p{N}])(?=[^\p{L}\p{N}]*$)/u;
const policyAsValue = new RegExp(
  `^(if this (?:step )?fails|(?:on|upon) failure)[^\\p{L}\\p{N}]*(?:then )?(?:ask|stop|continue|abort|retry(?: \\d times?)?)${end}`,
  "u",
);
/** A note that says nothing but that an approval is needed. */
const promise = new RegExp(
  `^((?:${need} (?:(?:an?|the|prior|human|manual|explicit|one|two|people|person|operator|approver)(?:['’]s)? ){0,4}${consent}(?: ${people})?` +
    `|(?:(?:human|manual|operator|approver)s?(?:['’]s?)? )?${consent} (?:is |are )?(?:required|needed|necessary|mandatory|pending)(?: ${people})?` +
    `|(?:(?:do|run) (?:this|it) )?only (?:with|after) (?:(?:an?|the) )?${consent}(?: ${people})?|${people} (?:must|has to|have to|needs? to) approve` +
    `|${need} (?:(?:an?|the|one|two) )?approvers?|(?:must|has to|needs to) be approved(?: ${people})?|(?:operator|approver)s?(?:['’]s?)? ${consent}))${end}`,
  "u",
);
/** No sentence has a role behind this word and a colon. */
const anywhere = new RegExp(`(?<![\\p{L}\\p{N}"“”„«»'’_-])approval\\s*${colon}\\s*${role}`, "u");
/** Other words that say no more than a label: a title may be about approvals. */
const wholeTitle =
  /^(?:approv(?:als|ers?|ed by)|sign[ -]?off|(?:on|upon|in case of|after|at) (?:an? )?(?:failures?|errors?|fail)|(?:if|when) .{0,20}\bfails?|failure (?:policy|handling))$/u;
const policy = /^\s*(?:ask|stop|continue|retry|abort|go to)(?!\p{L})/u;
const behindRole = new RegExp(`^\\s*${role}`, "u");

/** Finds what looks like a label at the beginning of a line, Markdown or plain text. Pure. */
export function findHiddenLabel(line: string): HiddenLabel | undefined {
  const turned = line.indexOf("\u202e");
  const hidden = labelAt(plainLead(line).slice(0, 400).toLowerCase());
  // Behind this character a text is shown from right to left.
  if (hidden !== undefined || turned === -1) return hidden;
  return findHiddenLabel(
    Array.from(line.slice(turned + 1, turned + 400).replaceAll("\u202e", ""))
      .toReversed()
      .join(""),
  );
}

function labelAt(text: string): HiddenLabel | undefined {
  const byColon = withColon.exec(text);
  const beforeColon = byColon?.[1]?.trim();
  if (byColon !== null && beforeColon !== undefined) {
    const meaning = meaningOf(beforeColon) ?? misspelled(beforeColon);
    if (meaning !== undefined) return { ...meaning, written: beforeColon, sign: "colon" };
  }
  const byValue = valueAt(text);
  if (byValue !== undefined) return byValue;
  const leading = leadsToRole.exec(text)?.[1];
  if (leading !== undefined) return { written: leading, meant: "approval", strength: "dress", sign: "lead" };
  const beforeMark = withMark.exec(text)?.[1]?.trim();
  const meaning = beforeMark === undefined ? undefined : meaningOf(beforeMark);
  // A sentence may hold any word before a dash; only a label's own words, or nearly so, are taken for one.
  if (beforeMark === undefined || meaning === undefined || (meaning.strength !== "dress" && beforeMark === text.trim())) return undefined;
  const strength = meaning.strength === "dress" ? "dress" : "weak"; // Other words before a dash or a bracket are as often a sentence.
  return { meant: meaning.meant, strength, written: beforeMark, sign: beforeMark === text.trim() ? "alone" : "mark" };
}

/** What is a label by what is behind its words. */
function valueAt(text: string): HiddenLabel | undefined {
  const time = timeAsValue.exec(text)?.[1];
  if (time !== undefined) return { written: time, meant: "timeout", strength: "dress", sign: "value" };
  const before = withRole.exec(text)?.[1];
  if (before !== undefined) return { written: before, meant: "approval", strength: "dress", sign: "value" };
  const needed = approvalAsValue.exec(text);
  const written = (roleAsValue.exec(text)?.[1] ?? needed?.[1] ?? needed?.[2])?.trim();
  if (written !== undefined && written.split(" ").length <= 6)
    return { written, meant: "approval", strength: wordings[written] === "approval" ? "dress" : "words", sign: "value" };
  const failing = policyAsValue.exec(text)?.[1];
  if (failing !== undefined) return { written: failing, meant: "failure", strength: "words", sign: "value" };
  const promised = promise.exec(text)?.[1];
  return promised === undefined ? undefined : { written: promised, meant: "approval", strength: "words", sign: "promise" };
}

/**
 * Finds what looks like a label behind another text: after the end of a sentence, a dash, a bracket, a colon or a wide gap.
 * Only what decides who and whether is looked for in small letters, as `action: …` in brackets is an ordinary remark.
 */
export function findBuriedLabel(text: string): HiddenLabel | undefined {
  const cased = plainLead(text);
  const visible = cased.toLowerCase();
  if ((anywhere.exec(visible)?.index ?? 0) > 0) return { written: "approval", meant: "approval", strength: "dress", sign: "colon" };
  let weak: HiddenLabel | undefined;
  for (const mark of visible.matchAll(/(?:[^\p{L}\p{N}\s'’"“”„«»_-]|(?<=\s)-+(?=\s))[^\p{L}\p{N}"“”„«»]*/gu)) {
    const start = mark.index + mark[0].length;
    const one = buriedAt(visible.slice(start, start + 200), {
      isAfterComma: mark[0].startsWith(","),
      isLarge: isLarge(cased.charAt(start)),
    });
    if (one !== undefined && one.strength !== "weak") return one;
    weak ??= one;
  }
  return weak;
}

function isLarge(letter: string): boolean {
  return letter !== letter.toLowerCase();
}

function buriedAt(text: string, place: { readonly isAfterComma: boolean; readonly isLarge: boolean }): HiddenLabel | undefined {
  const hidden = labelAt(text);
  if (hidden === undefined || hidden.strength === "weak" || ["alone", "mark", "lead"].includes(hidden.sign)) return undefined;
  const decides = hidden.meant === "approval" || hidden.meant === "failure";
  if (hidden.sign !== "colon") return place.isAfterComma ? undefined : hidden;
  if (hidden.strength === "dress") return decides || place.isLarge ? hidden : undefined;
  if (place.isAfterComma) return undefined;
  const value = text.slice(withColon.exec(text)?.[0].length ?? 0);
  if ((hidden.meant === "approval" ? behindRole : policy).test(value)) return hidden;
  return valueAt(text) ?? { ...hidden, strength: "weak" };
}

/** The label that a heading, or a line in bold letters, names and says nothing else: `Approval`, `On failure`. */
export function labelOfTitle(title: string): HiddenLabel | undefined {
  const written = plainLead(title)
    .slice(0, 100)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+$/u, "");
  const meaning = meaningOf(written);
  const isOther = meaning?.strength !== "dress" && !wholeTitle.test(written);
  return meaning === undefined || meaning.strength === "weak" || isOther ? undefined : { ...meaning, written, sign: "alone" };
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

function misspelled(written: string): Pick<HiddenLabel, "meant" | "strength"> | undefined {
  const meant = nearlyKind(written);
  return meant === undefined ? undefined : { meant, strength: "dress" };
}

/** The beginning of a line as a reader sees its words: without marks, tags, link targets, invisible characters and accents, in plain letters. */
function plainLead(line: string): string {
  const visible = plainLetters(line.replace(/^(?:[\s>*+-]|\d+[.)])*\[[ xX]\]\s/u, ""))
    .replaceAll(/<[^>]{0,100}>/gu, "")
    .replaceAll(/\]\s?(?:\([^)]{0,300}\)|\[[^\]]{0,100}\])/gu, "]")
    .replaceAll(/\[\^[^\]]{0,40}\]/gu, "")
    .replaceAll(/(?<![\p{L}\p{N}]):[a-z0-9_+-]{1,40}:(?![\p{L}\p{N}])/gu, "· ")
    // Names of fields are words too.
    .replaceAll(/(?<=[\p{L}\p{N}])_(?=[\p{L}\p{N}])|(?<=\p{Ll}{3})(?=\p{Lu}\p{Ll}{2})/gu, " ")
    .replaceAll(/[*_`~\\[\]]/gu, "")
    // Two of the letters that modify others look like a colon, and no other is part of a word.
    .replaceAll(/\p{Lm}/gu, (sign) => (sign === "\u02d0" || sign === "\u02d1" ? ":" : "·"))
    .replaceAll(/\s{3,}/gu, " · ");
  return visible.replace(/^(?:[^\p{L}]|(?:[A-Za-z]|[IVXivx]{1,4})[.)]\s|o\s)+/u, "").replaceAll(/\s+/gu, " ");
}
