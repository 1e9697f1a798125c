/** A field of whatever was thrown. Structural, because errors of another realm are no `instanceof Error` of ours. */
export function errorField(error: unknown, name: string): unknown {
  if (typeof error !== "object" || error === null) return undefined;
  const value: unknown = Reflect.get(error, name);
  return value;
}
