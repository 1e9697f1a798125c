import { StepFailure } from "../../core/failure.ts";
import type { FlagReference } from "../../core/feature.ts";
import type { FlagSwitch } from "./flag-switch.ts";

/** The switch of each system that keeps flags; of one that is not configured, a switch that says so. */
export type FlagSwitches = { readonly [System in FlagReference["system"]]: FlagSwitch };

/** A switch whose every member rejects with StepFailure `invalid_parameters`: nothing that it names is ever left out unnoticed. */
export function missingFlagSwitch(system: string, settings: readonly string[]): FlagSwitch {
  const missing = async (key: string): Promise<never> => {
    const message = `The flag ${key.slice(0, 100)} is kept in ${system}, which is not configured. Set ${settings.join(", ")}.`;
    throw new StepFailure({ reason: "invalid_parameters", message, applied: "no" });
  };
  return { read: missing, setState: async ({ key }) => missing(key), evaluate: missing, followers: missing };
}
