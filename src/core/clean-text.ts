const [bell, escape] = ["\\u0007", "\\u001b"];

// Operating system commands up to their end, control sequences such as colours, and every other two-character escape.
const escapeSequences = new RegExp(
  `${escape}\\][^${bell}${escape}]*(?:${bell}|${escape}\\\\)?|${escape}\\[[0-9;?]*[ -/]*[@-~]|${escape}.`,
  "gu",
);

/**
 * Untrusted text without anything that a terminal, a mail client or a reader's eye obeys:
 * escape sequences, control characters other than newline and tab, and characters that turn or hide text.
 */
export function cleanText(text: string, max = 4000): string {
  const clean = text
    .replace(escapeSequences, "")
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\n\t]|[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu, "");
  return clean.length <= max ? clean : `${clean.slice(0, max)}… (${clean.length - max} characters more)`;
}
