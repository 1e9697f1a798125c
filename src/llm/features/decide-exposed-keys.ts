import type { SecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { Feature, KeyReference } from "../../core/feature.ts";

/** What it is decided from which keys are disabled. */
export interface ExposureFacts {
  /** Name of the feature, as the alert or a person gave it. */
  readonly name: string;
  readonly feature: Feature | undefined;
  /** Every feature that is described. */
  readonly features: readonly Feature[];
  /** Open findings of the feature; undefined: they cannot be read. */
  readonly findings: readonly SecurityFinding[] | undefined;
}

/** `none`: no key is exposed. `disable`: exactly these keys. `ask`: a person names the feature whose keys are meant. */
export interface ExposedKeys {
  readonly kind: "none" | "disable" | "ask";
  readonly reason: "nothing_exposed" | "exposed" | "unmatched" | "findings_unreadable";
  readonly sentence: string;
  readonly keys: readonly KeyReference[];
  /** Sorts of the exposed secrets that are none of the described keys. */
  readonly unmatched: readonly string[];
}

/**
 * Which keys the findings of a feature expose. A finding that names a key means exactly that key, of whatever feature it is. One that names none means every
 * key of its feature at the system that it comes from, or of the feature. Keys of other features are never guessed.
 */
export function decideExposedKeys({ name, feature, features, findings }: ExposureFacts): ExposedKeys {
  if (findings === undefined) {
    const sentence = `The findings of ${name} cannot be read, so every key of it counts as exposed.`;
    if (feature === undefined) return { kind: "ask", reason: "findings_unreadable", sentence, keys: [], unmatched: [] };
    return { kind: "disable", reason: "findings_unreadable", sentence, keys: feature.keys, unmatched: [] };
  }
  const secrets = findings.flatMap(({ secret, state }) =>
    state === "open" && secret !== undefined && secret.validity !== "inactive" ? [secret] : [],
  );
  if (secrets.length === 0)
    return {
      kind: "none",
      reason: "nothing_exposed",
      sentence: `No open finding of ${name} exposes a key that may be in use.`,
      keys: [],
      unmatched: [],
    };
  const matched = secrets.map((secret) => ({ secret, keys: keysOf(secret, feature, features) }));
  const keys = distinct(matched.flatMap((one) => one.keys));
  const unmatched = [...new Set(matched.flatMap((one) => (one.keys.length === 0 ? [one.secret.type] : [])))];
  const count = `${secrets.length} ${secrets.length === 1 ? "secret" : "secrets"} of ${name} may be in use`;
  if (keys.length > 0 || feature !== undefined)
    return {
      kind: "disable",
      reason: keys.length > 0 ? "exposed" : "unmatched",
      sentence: `Disable ${keys.length} ${keys.length === 1 ? "key" : "keys"}: ${count}.`,
      keys,
      unmatched,
    };
  return { kind: "ask", reason: "unmatched", sentence: `${count}, and no feature is described that it belongs to.`, keys: [], unmatched };
}

function keysOf(
  { key, type }: NonNullable<SecurityFinding["secret"]>,
  feature: Feature | undefined,
  features: readonly Feature[],
): readonly KeyReference[] {
  if (key !== undefined) {
    const named = features.flatMap(({ keys }) => keys.filter(({ id }) => id === key));
    if (named.length > 0) return named;
  }
  const keys = feature?.keys ?? [];
  const sameSystem = keys.filter(({ system }) => type.toLowerCase().includes(system));
  return sameSystem.length > 0 ? sameSystem : keys;
}

function distinct(keys: readonly KeyReference[]): readonly KeyReference[] {
  return [...new Map(keys.map((key) => [`${key.system} ${key.id}`, key])).values()];
}
