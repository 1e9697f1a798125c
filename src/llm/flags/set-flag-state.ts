import type { Flag } from "../../../packages/sdk/src/wire/flags.ts";
import { definitionOf, type FlagStore } from "./flag.ts";
import type { FlagStateChange } from "./flag-switch.ts";

/** So often a change is tried again when another one came first. */
const maxTries = 20;

/** What became of a change of a flag's state. `contended`: other changes came first each time, and nothing was written. */
export type FlagStateOutcome =
  | { readonly kind: "set"; readonly flag: Flag }
  | { readonly kind: "unknown" }
  | { readonly kind: "contended"; readonly flag: Flag };

/** Switches a flag on or off whatever else others change of it; a flag in that state already stays as it is. Rejects with StoreUnavailable. */
export async function setFlagState(
  flags: Pick<FlagStore, "read" | "set">,
  { key, state, by, reason }: FlagStateChange,
): Promise<FlagStateOutcome> {
  for (let tries = 1; ; tries += 1) {
    const flag = await flags.read(key);
    if (flag === undefined) return { kind: "unknown" };
    if (flag.state === state) return { kind: "set", flag };
    const result = await flags.set({ key, expected: flag.version, definition: { ...definitionOf(flag), state }, by, reason });
    if (result.kind === "set") return { kind: "set", flag: result.flag };
    if (tries >= maxTries) return { kind: "contended", flag };
  }
}
