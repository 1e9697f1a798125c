const [bell, escape] = ["\\u0007", "\\u001b"];

// Operating system commands up to their end, control sequences such as colours, and every other two-character escape.
const escapeSequences = new RegExp(
  `${escape}\\][^${bell}${escape}]*(?:${bell}|${escape}\\\\)?|${escape}\\[[0-9;?]*[ -/]*[@-~]|${escape}.`,
  "gu",
);

/**
 * What a terminal obeys or a reader's eye does not see: control characters other than newline and tab (the 8-bit ones included),
 * format characters such as those that turn text, line and paragraph separators, and every character that Unicode draws as nothing.
 */
const hiddenCharacters = /[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Untrusted text without anything that a terminal, a mail client or a reader's eye obeys:
 * escape sequences, control characters other than newline and tab, and characters that turn or hide text.
 */
export function cleanText(text: string, max = 4000): string {
  const clean = text.replace(escapeSequences, "").replace(/\r\n?/g, "\n").replace(hiddenCharacters, "");
  return clean.length <= max ? clean : `${clean.slice(0, max)}… (${clean.length - max} characters more)`;
}

/**
 * Text in which each character that a terminal obeys or an eye does not see is written out as `\uXXXX`; newline and tab stay, CR LF becomes
 * a newline. In JSON such characters occur in strings alone, where this is their escape: it parses to the same value.
 */
export function escapeHidden(text: string): string {
  return text
    .replace(/\r\n/g, "\n")
    .replace(hiddenCharacters, (character) =>
      Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""),
    );
}
