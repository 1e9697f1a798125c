/** Id of a step: the slug of its name, with `_` so that `steps.<id>.result` is an expression. Empty when the name holds no letter or digit. */
export function stepIdOf(name: string): string {
  return name
    .normalize("NFKD")
    .replaceAll(/\p{M}+/gu, "")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, "_")
    .replaceAll(/^_+|_+$/gu, "");
}
