import type { Flag, FlagDefinition } from "../../../packages/sdk/src/wire/flags.ts";
import { faultsOfFlag, isSameDefinition } from "./flag.ts";
import { differencesOf, type FlagDifference } from "./flag-difference.ts";

/** What a person asks for, and what the flag is now. */
export interface FlagChangeFacts {
  readonly before: Flag | undefined;
  readonly expected: number;
  readonly after: FlagDefinition;
  /** Whether the person may give something to more targeting keys. */
  readonly mayRaise: boolean;
}

/** Whether a change is written. `unchanged`: the flag has this state already, by whomever it was set. */
export type FlagChangeDecision =
  | { readonly kind: "write"; readonly differences: readonly FlagDifference[] }
  | { readonly kind: "unchanged"; readonly flag: Flag }
  | { readonly kind: "invalid"; readonly faults: readonly string[] }
  | { readonly kind: "conflict" }
  | { readonly kind: "needs_approver"; readonly raises: readonly string[] };

/** Decides a change from facts alone. */
export function decideFlagChange({ before, expected, after, mayRaise }: FlagChangeFacts): FlagChangeDecision {
  const faults = faultsOfFlag(after);
  if (faults.length > 0) return { kind: "invalid", faults };
  if (before !== undefined && isSameDefinition(before, after)) return { kind: "unchanged", flag: before };
  if ((before?.version ?? 0) !== expected) return { kind: "conflict" };
  const differences = differencesOf(before, after);
  const raises = differences.filter(({ effect }) => effect === "raises").map(({ what }) => what);
  return raises.length > 0 && !mayRaise ? { kind: "needs_approver", raises } : { kind: "write", differences };
}
