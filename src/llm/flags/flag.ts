import type { Flag, FlagDefinition } from "../../../packages/sdk/src/wire/flags.ts";
import { canonicalJson, type Json } from "../../../packages/sdk/src/wire/json.ts";

/** Most flags that are kept. */
export const maxFlags = 500;

/** Most variants of one flag. */
export const maxVariants = 20;

/** Most bytes of a flag's variants together, as JSON. */
export const maxVariantBytes = 16 * 1024;

/** Reply to a change. `conflict`: the version was not the expected one; `full`: there are {@link maxFlags} already. In both nothing was written. */
export type FlagChangeResult =
  | { readonly kind: "set"; readonly flag: Flag }
  | { readonly kind: "conflict"; readonly flag: Flag | undefined }
  | { readonly kind: "full" };

/** A change of one flag from the version that was read; 0 where there was none. */
export interface FlagChange {
  readonly key: string;
  readonly expected: number;
  readonly definition: FlagDefinition;
  readonly by: string;
  readonly reason: string;
}

/** Where flags are kept. Every member is atomic and rejects with StoreUnavailable when the store does not answer. */
export interface FlagStore {
  read(key: string): Promise<Flag | undefined>;
  /** Those of the keys that exist, each once, by key. */
  find(keys: readonly string[]): Promise<readonly Flag[]>;
  /** By key. */
  list(): Promise<readonly Flag[]>;
  /** Compare-and-set on the version. The same definition again is taken as set, whoever wrote it. */
  set(change: FlagChange): Promise<FlagChangeResult>;
}

/** What a flag is, without the change that made it so. */
export function definitionOf({ type, variants, state, offVariant, defaultVariant, rollout, feature }: FlagDefinition): FlagDefinition {
  return { type, variants, state, offVariant, defaultVariant, rollout, ...(feature !== undefined && { feature }) };
}

/** Whether two flags are defined alike. */
export function isSameDefinition(a: FlagDefinition, b: FlagDefinition): boolean {
  return canonicalJson(definitionOf(a)) === canonicalJson(definitionOf(b));
}

/** Whether two definitions give every targeting key the same while both are on. */
export function isSameSplit(a: FlagDefinition, b: FlagDefinition): boolean {
  return canonicalJson(splitOf(a)) === canonicalJson(splitOf(b));
}

function splitOf({ type, variants, offVariant, defaultVariant, rollout }: FlagDefinition): Omit<FlagDefinition, "state" | "feature"> {
  return { type, variants, offVariant, defaultVariant, rollout };
}

/** Name of a flag's document among those that applications follow; the tag of a follower is the version. */
export function flagDocument(key: string): string {
  return `flag/${key}`;
}

/** Version of a flag as the tag of a follower. */
export function flagTag({ version }: Pick<Flag, "version">): string {
  return String(version);
}

/** Why a definition cannot be a flag, one sentence each; empty: it can. */
export function faultsOfFlag(definition: FlagDefinition): readonly string[] {
  const { type, variants, offVariant, defaultVariant, rollout } = definition;
  const names = Object.keys(variants);
  const has = (variant: string) => Object.hasOwn(variants, variant);
  const missing = (field: string, variant: string) =>
    has(variant) ? [] : [`${field}: there is no variant ${JSON.stringify(variant)}; the flag has ${names.join(", ") || "none"}`];
  const bytes = Buffer.byteLength(JSON.stringify(variants));
  return [
    ...(names.length === 0 ? ["variants: a flag needs one variant at least"] : []),
    ...(names.length > maxVariants ? [`variants: a flag has at most ${maxVariants} variants, got ${names.length}`] : []),
    ...(bytes > maxVariantBytes ? [`variants: they have ${bytes} bytes together; accepted: ${maxVariantBytes} at most`] : []),
    ...Object.entries(variants).flatMap(([name, value]) =>
      typeOf(value) === type ? [] : [`variants.${name}: its value is ${typeOf(value)}, and the flag's type is ${type}`],
    ),
    ...missing("offVariant", offVariant),
    ...missing("defaultVariant", defaultVariant),
    // What is off, unknown and unreachable must mean the same to an application, so that switching a flag off always stops what it guards.
    ...(type === "boolean" && has(offVariant) && variants[offVariant] === true
      ? ["offVariant: the off variant of a boolean flag must be false; name the flag after what it permits"]
      : []),
    ...(rollout === null ? [] : [...missing("rollout.variant", rollout.variant), ...faultsOfShare(definition, rollout)]),
  ];
}

function faultsOfShare({ defaultVariant }: FlagDefinition, { variant, share }: NonNullable<FlagDefinition["rollout"]>): readonly string[] {
  const isShare = share >= 0 && share <= 1;
  return [
    ...(isShare ? [] : [`rollout.share: a share is 0 to 1, got ${share}`]),
    ...(variant === defaultVariant ? [`rollout.variant: ${variant} is the default variant, which every other key gets already`] : []),
  ];
}

/** The type of a value in the words of flags; `null` and `array` are those of no flag. */
function typeOf(value: Json): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
