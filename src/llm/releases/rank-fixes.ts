import type { FixSearch } from "./code-host.ts";

/** What a change says of itself; texts may be anyone's. */
export interface DescribedChange {
  readonly branch: string;
  readonly title: string;
  /** Description of a pull request, or the messages of a branch's commits. */
  readonly text: string;
}

/** Most changes that are offered as the fix. */
export const maxFixes = 20;

/** Characters of a description that are read. */
const maxText = 100_000;

/** A reference that is shorter is found in any text. */
const minReference = 5;

/**
 * Changes that may be the fix, the likeliest first, at most {@link maxFixes}: those that name a reference, then those that update a package, then those on
 * branches `hotfix/*`. Changes of equal rank keep their order; all others are dropped.
 */
export function rankFixes<Change extends DescribedChange>(
  changes: readonly Change[],
  { references, packages }: Pick<FixSearch, "references" | "packages">,
): readonly Change[] {
  const rankOf = ({ branch, title, text }: DescribedChange): number => {
    const texts = [branch, title, text.slice(0, maxText)];
    if (references.some((reference) => texts.some((one) => isNamed(reference, one)))) return 0;
    // A description names many packages that it does not update; a title and the branch of an updating tool name the one that they do.
    if (packages.some((name) => [branch, title].some((one) => isNamed(name, one)))) return 1;
    return branch.startsWith("hotfix/") ? 2 : 3;
  };
  return changes
    .map((change) => ({ change, rank: rankOf(change) }))
    .filter(({ rank }) => rank < 3)
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, maxFixes)
    .map(({ change }) => change);
}

/**
 * Whether a text names an id or a package as a whole, in any case: `CVE-2026-1234` is not named by `CVE-2026-12345`. The tail of a path counts, as in
 * `dependabot/npm_and_yarn/lodash-4.17.21`. The time grows linearly with the text.
 */
export function isNamed(name: string, text: string): boolean {
  const [wanted, within] = [name.toLowerCase(), text.toLowerCase()];
  if (wanted.length < minReference && !/[a-z]/.test(wanted)) return false;
  if (wanted.length < 2) return false;
  for (let at = within.indexOf(wanted); at !== -1; at = within.indexOf(wanted, at + 1)) {
    const [before, after] = [within.charAt(at - 1), within.slice(at + wanted.length, at + wanted.length + 2)];
    if (!/[\p{L}\p{N}_-]/u.test(before) && isEnd(after)) return true;
  }
  return false;
}

/** A version may follow a package in the name of a branch: `lodash-4.17.21`; `lodash-es` and `lodash.merge` are other packages. */
function isEnd(after: string): boolean {
  return !/^[\p{L}\p{N}_]/u.test(after) && !/^[-.][\p{L}_]/u.test(after);
}
