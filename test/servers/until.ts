/**
 * Looks again and again, 20 ms apart, until `look` answers something other than false and undefined. Throws and names `what` when that does not happen
 * within 30 s, or within `withinMs`; what `look` throws is thrown.
 */
export async function until<Value>(
  what: string,
  look: () => Value | undefined | false | Promise<Value | undefined | false>,
  withinMs = 30_000,
): Promise<Value> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadline) throw new Error(`It never came to this: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
