import { StepFailure } from "../../core/failure.ts";
import type { KeyReference } from "../../core/feature.ts";
import type { KeySwitch } from "./key-switch.ts";

/** The switch of each system that has keys; of one that is not configured, a switch that says so. */
export type KeySwitches = { readonly [System in KeyReference["system"]]: KeySwitch };

/** A switch whose every member rejects with StepFailure `invalid_parameters`: no key is ever left out unnoticed. */
export function missingKeySwitch(system: string, settings: readonly string[]): KeySwitch {
  const missing = async (): Promise<never> => {
    const message = `Keys of ${system} cannot be disabled: it is not configured. Set ${settings.join(", ")}.`;
    throw new StepFailure({ reason: "invalid_parameters", message, applied: "no" });
  };
  return { read: missing, disable: missing, isRefused: missing };
}
