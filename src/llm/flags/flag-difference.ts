import type { FlagDefinition } from "../../../packages/sdk/src/wire/flags.ts";
import { canonicalJson } from "../../../packages/sdk/src/wire/json.ts";
import { formatShare } from "../../core/share.ts";

/**
 * One part of a change of a flag. `lowers`: more targeting keys get what they get while the flag is off, or a trial gets fewer of them;
 * `raises`: everything else.
 */
export interface FlagDifference {
  readonly effect: "lowers" | "raises";
  /** For people, e.g. `state on -> off`. */
  readonly what: string;
}

/** What a change would do; empty: nothing. A flag that does not exist yet is `undefined`. */
export function differencesOf(before: FlagDefinition | undefined, after: FlagDefinition): readonly FlagDifference[] {
  if (before === undefined) return [raises(`new flag of type ${after.type}, ${after.state}`)];
  return [
    ...(before.state === after.state
      ? []
      : [{ effect: after.state === "off" ? "lowers" : "raises", what: `state ${before.state} -> ${after.state}` } as const]),
    ...(before.type === after.type ? [] : [raises(`type ${before.type} -> ${after.type}`)]),
    ...(canonicalJson(before.variants) === canonicalJson(after.variants)
      ? []
      : [raises(describeVariants(before.variants, after.variants))]),
    ...(before.offVariant === after.offVariant ? [] : [raises(`off variant ${before.offVariant} -> ${after.offVariant}`)]),
    ...differenceOfDefault(before, after),
    ...differenceOfShare(before, after),
    ...(before.feature === after.feature ? [] : [raises(`feature ${before.feature ?? "none"} -> ${after.feature ?? "none"}`)]),
  ];
}

function differenceOfDefault(before: FlagDefinition, after: FlagDefinition): readonly FlagDifference[] {
  if (before.defaultVariant === after.defaultVariant) return [];
  const what = `default variant ${before.defaultVariant} -> ${after.defaultVariant}`;
  return [{ effect: after.defaultVariant === before.offVariant ? "lowers" : "raises", what }];
}

/** A share of the off variant is the other way round: it lowers while it grows. */
function differenceOfShare(before: FlagDefinition, after: FlagDefinition): readonly FlagDifference[] {
  const [old, now] = [before.rollout, after.rollout];
  if (canonicalJson(old) === canonicalJson(now)) return [];
  const what = `share ${describeShare(old)} -> ${describeShare(now)}`;
  const variant = now?.variant ?? old?.variant;
  const isSameTrial = old === null || now === null || (old.variant === now.variant && old.salt === now.salt && old.rollout === now.rollout);
  if (!isSameTrial) return [raises(what)];
  const grows = (now?.share ?? 0) > (old?.share ?? 0);
  const isOffVariant = variant === before.offVariant;
  return [{ effect: grows === isOffVariant || (!grows && !isOffVariant) ? "lowers" : "raises", what }];
}

function describeShare(rollout: FlagDefinition["rollout"]): string {
  if (rollout === null) return "none";
  const { variant, share, rollout: id } = rollout;
  return `${variant} ${formatShare(share)}${id === undefined ? "" : ` of rollout ${id}`}`;
}

function describeVariants(before: FlagDefinition["variants"], after: FlagDefinition["variants"]): string {
  const added = Object.keys(after).filter((name) => !Object.hasOwn(before, name));
  const removed = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  const changed = Object.keys(after).filter(
    (name) => Object.hasOwn(before, name) && canonicalJson(before[name]) !== canonicalJson(after[name]),
  );
  const named = (word: string, names: readonly string[]) => (names.length === 0 ? [] : [`${word} ${names.join(", ")}`]);
  return `variants: ${[...named("added", added), ...named("removed", removed), ...named("changed", changed)].join("; ")}`;
}

function raises(what: string): FlagDifference {
  return { effect: "raises", what };
}
