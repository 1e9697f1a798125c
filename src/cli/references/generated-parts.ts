/**
 * The text with each part between `<!-- generated: NAME -->` and `<!-- end of generated: NAME -->` written anew.
 * Throws when the text has a part that is not given, or lacks one that is.
 */
export function fillGeneratedParts(text: string, parts: Readonly<Record<string, string>>): string {
  const filled = new Set<string>();
  const result = text.replaceAll(/^<!-- generated: ([a-z-]+) -->\n[\s\S]*?^<!-- end of generated: \1 -->$/gm, (_whole, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`The page has the generated part ${name}, which nothing generates.`);
    filled.add(name);
    return `<!-- generated: ${name} -->\n${part.trim()}\n<!-- end of generated: ${name} -->`;
  });
  const missing = Object.keys(parts).filter((name) => !filled.has(name));
  if (missing.length > 0) throw new Error(`The page has no place for the generated parts ${missing.join(", ")}.`);
  return result;
}
