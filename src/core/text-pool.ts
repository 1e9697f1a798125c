/** Gives back the first text that was equal, so that a list of a million rows holds each of its few texts once. */
export function createTextPool(): (text: string) => string {
  const texts = new Map<string, string>();
  return (text) => {
    const existing = texts.get(text);
    if (existing === undefined) texts.set(text, text);
    return existing ?? text;
  };
}
