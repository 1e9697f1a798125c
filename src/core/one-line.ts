/** Untrusted text on one printable line: each run of white space, control and format characters becomes a space, so that no text moves a cursor or hides. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\s]+/gu, " ").trim();
}

/** One line of at most `max` characters; a longer one ends with "…". */
export function shortLine(text: string, max: number): string {
  const line = oneLine(text);
  return line.length <= max ? line : `${line.slice(0, max - 1)}…`;
}
