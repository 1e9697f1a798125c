const maxLength = 250;

/** Whether git takes the text for the name of a branch; what is none must not become a part of a command or of an address. See git-check-ref-format(1). */
export function isBranchName(text: string): boolean {
  if (text === "" || text.length > maxLength || text === "@" || text.startsWith("-")) return false;
  if (/[\p{Cc}\p{Surrogate}\s~^:?*[\\]/u.test(text) || text.includes("..") || text.includes("@{")) return false;
  return text.split("/").every((part) => part !== "" && !part.startsWith(".") && !part.endsWith(".") && !part.endsWith(".lock"));
}
