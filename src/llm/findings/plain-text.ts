import { maskSecrets } from "../../../packages/sdk/src/wire/mask-secrets.ts";
import { cleanText } from "../../core/clean-text.ts";

/** Characters of one untrusted text that are read, so that masking it takes bounded time. */
const maxCharactersRead = 10_000;

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'", nbsp: " " };

/**
 * Untrusted text as plain text of at most `max` characters: without HTML and Markdown, without what a terminal obeys, and without what looks like a secret.
 * No `<` that could begin a tag is left. Linear in the text's length.
 */
export function plainText(text: string, max: number): string {
  const masked = withoutSecrets(beginningOf(text));
  const read = (gap: string) => withoutSecrets(cleanText(withoutMarkup(masked, gap), Number.POSITIVE_INFINITY)).trim();
  // Words that only a tag divides stay two words, except where they are the parts of a secret.
  const [spaced, joined] = [read(" "), read("")];
  const plain = maskedPlaces(joined) > maskedPlaces(spaced) ? joined : spaced;
  return plain.length <= max ? plain : `${plain.slice(0, max - 1)}…`;
}

/** A text without what looks like a secret; a private key is one also when its end is missing. */
export function withoutSecrets(text: string): string {
  return maskSecrets(text).replace(/-----BEGIN [A-Z ]{0,40}PRIVATE KEY[\s\S]*$/, "[secret]");
}

/** The beginning of a long text up to a blank: the rest of a secret that was cut would not be recognized. */
function beginningOf(text: string): string {
  if (text.length <= maxCharactersRead) return text;
  return `${text.slice(0, maxCharactersRead).replace(/\S+$/u, "")}…`;
}

function maskedPlaces(text: string): number {
  return text.split(/\[(?:secret|address)\]/).length;
}

function withoutMarkup(text: string, gap: string): string {
  let plain = text
    .replace(/^ {0,3}(?:```|~~~)[^\n]*$/gm, "")
    .replace(/!?\[([^[\]]*)\]\([^()\s]*\)/g, "$1")
    .replace(/^ {0,3}#{1,6} +/gm, "")
    .replace(/\*\*|`+/g, "");
  // Entities may be tags, and what is within a tag may be one.
  for (let round = 0; round < 3; round += 1) plain = withoutEntities(plain.replace(/<[!/?a-zA-Z][^<>]*>/g, gap));
  return plain.replace(/<(?=[!/?a-zA-Z])/g, "< ");
}

function withoutEntities(text: string): string {
  return text.replace(/&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z]{2,6});/gi, (whole) => {
    const name = whole.slice(1, -1).toLowerCase();
    if (!name.startsWith("#")) return Object.hasOwn(entities, name) ? (entities[name] ?? whole) : whole;
    const code = name.startsWith("#x") ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : " ";
  });
}
