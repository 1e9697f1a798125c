/** Tickets that fail with one probability. */
export interface FailureGroup {
  readonly tickets: number;
  /** 0 to 1. */
  readonly failing: number;
}

/** Chance of at least `failures` failures among tickets of one or more groups: the exact tail, for at most some hundred tickets. */
export function failureChance(groups: readonly FailureGroup[], failures: number): number {
  let chances = [1];
  for (const { tickets, failing } of groups) {
    for (let ticket = 0; ticket < tickets; ticket += 1) {
      const before = chances;
      chances = Array.from(
        { length: before.length + 1 },
        (_, count) => (before[count] ?? 0) * (1 - failing) + (before[count - 1] ?? 0) * failing,
      );
    }
  }
  return chances.slice(Math.max(0, failures)).reduce((sum, chance) => sum + chance, 0);
}

/** A catastrophe is looked for from this many canary tickets on. */
const minForCatastrophe = 10;
/** As improbable as six failures of ten where one of five fails. */
const maxChance = 0.007;

/**
 * Whether a canary with few tickets yet fails so often that the baseline's own failures hardly ever explain it. `chance` is null while it has fewer than ten
 * tickets, and from `minTickets` on, where intervals decide.
 */
export function judgeCatastrophe(
  groups: readonly FailureGroup[],
  failures: number,
  minTickets: number,
): { readonly chance: number | null; readonly shown: boolean } {
  const tickets = groups.reduce((sum, group) => sum + group.tickets, 0);
  if (tickets < minForCatastrophe || tickets >= minTickets) return { chance: null, shown: false };
  const chance = Math.min(1, failureChance(groups, failures));
  return { chance, shown: chance < maxChance };
}
