/** What a value beyond the cap becomes. */
export const overflowLabel = "other";

/**
 * Keeps a metric label's values within `max`: the first `max` distinct values pass, every later one answers `other` and is reported.
 * `known` values are admitted beforehand. Values outside `[A-Za-z0-9._:/-]{1,80}` are never admitted, since they come from outside.
 */
export function createLabelCap(max: number, onOverflow: () => void, initialValues: readonly string[] = []): (value: string) => string {
  const admitted = new Set(initialValues.slice(0, max));
  return (value) => {
    if (admitted.has(value) || value === overflowLabel) return value;
    if (admitted.size < max && /^[A-Za-z0-9._:/-]{1,80}$/.test(value)) {
      admitted.add(value);
      return value;
    }
    onOverflow();
    return overflowLabel;
  };
}
