import { assignFlag } from "../../../packages/sdk/src/assignment.ts";
import type { Flag } from "../../../packages/sdk/src/wire/flags.ts";
import type { ofrepEvaluationSchema, ofrepFailureSchema } from "../../../packages/sdk/src/wire/ofrep.ts";
import type { Shape } from "../../../packages/sdk/src/wire/shape.ts";

/** Value of a flag as OFREP answers it. */
export type FlagAnswer = Shape<typeof ofrepEvaluationSchema>;

/** Why a flag has no value, as OFREP answers it. */
export type FlagFailure = Shape<typeof ofrepFailureSchema>;

/** The outcome of one evaluation. */
export type FlagOutcome =
  | { readonly kind: "evaluated"; readonly answer: FlagAnswer }
  | { readonly kind: "failed"; readonly failure: FlagFailure };

/**
 * The value of a flag for one targeting key, which is a ticket's id where tickets are worked on. The same hash and arms as those of routes and prompts:
 * everything but a share between 0 and 1 needs no key. `metadata` holds the flag's `version` and, when a rollout set the share, what a ticket's
 * assignment names.
 */
export function evaluateFlag(flag: Flag, targetingKey: string | undefined): FlagOutcome {
  const { key, version } = flag;
  const assigned = assignFlag(flag, targetingKey === "" ? undefined : targetingKey);
  if (assigned.kind === "failed") return { kind: "failed", failure: failureOf(key, assigned.fault) };
  const { value, variant, reason, rollout } = assigned;
  return { kind: "evaluated", answer: { key, value, variant, reason, metadata: { version, ...rollout } } };
}

/** The failure of a flag that does not exist. */
export function unknownFlag(key: string): FlagFailure {
  const shown = key.slice(0, maxShownKey);
  return {
    key: shown,
    errorCode: "FLAG_NOT_FOUND",
    errorDetails: `There is no flag ${JSON.stringify(shown)}; runbookd flags list lists them.`,
  };
}

/** Most characters of a requested key that a response shows. */
export const maxShownKey = 80;

function failureOf(key: string, fault: "targeting_key_missing" | "variant_missing"): FlagFailure {
  return fault === "targeting_key_missing"
    ? {
        key,
        errorCode: "TARGETING_KEY_MISSING",
        errorDetails:
          "A share of the targeting keys gets another variant of this flag: send a context with targetingKey, e.g. the ticket's id.",
      }
    : { key, errorCode: "GENERAL", errorDetails: "The flag names a variant that it does not have; set the flag anew." };
}
