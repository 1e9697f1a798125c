/**
 * A made-up secret of 128 bits, as 32 hexadecimal digits, that an application plants in a prompt: it opens nothing, so a text that holds it shows that the
 * prompt has left.
 */
export interface HoneytokenStore {
  /** The prompt's first honeytoken. undefined: it has one already, which stays. */
  create(prompt: string): Promise<string | undefined>;
  /** A new honeytoken in place of the present one, or the first. The {@link maxHoneytokens} newest are recognized: older texts of the prompt hold them. */
  rotate(prompt: string): Promise<string>;
  /** The newest one; undefined: the prompt has none. */
  read(prompt: string): Promise<string | undefined>;
  /** Each honeytoken that is recognized, with its prompt. */
  all(): Promise<ReadonlyMap<string, string>>;
}

/** Bytes of a honeytoken. */
export const honeytokenBytes = 16;

/** Honeytokens of one prompt that are recognized, the newest. */
export const maxHoneytokens = 10;

const digits = honeytokenBytes * 2;

/** What a model or a template puts between characters that belong together. */
const separators = /[\s\p{Cf}\p{P}+|`]+/gu;

/** Prompts whose honeytoken is in the text, in any case and with separators between its digits. Linear in the text's length, whatever the number of honeytokens. */
export function promptsOfHoneytokens(text: string, honeytokens: ReadonlyMap<string, string>): readonly string[] {
  if (honeytokens.size === 0) return [];
  const prompts = new Set<string>();
  for (const [run] of text
    .replace(separators, "")
    .toLowerCase()
    .matchAll(/[0-9a-f]+/gu)) {
    for (let at = 0; at + digits <= run.length; at += 1) {
      const prompt = honeytokens.get(run.slice(at, at + digits));
      if (prompt !== undefined) prompts.add(prompt);
    }
  }
  return [...prompts];
}
