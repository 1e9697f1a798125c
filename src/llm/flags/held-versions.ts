import { flagKeySchema, maxFlagsPerRequest } from "../../../packages/sdk/src/wire/flags.ts";

/**
 * The version of each flag that a process holds, as it writes them in `Runbookd-Held`: `export=12,answers=3`. What cannot be read is left out, so that
 * its flag counts as not held.
 */
export function readHeldVersions(text: string): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const part of text.split(",", maxFlagsPerRequest)) {
    const [key = "", version = ""] = part.trim().split("=", 2);
    if (flagKeySchema.safeParse(key).success && /^[1-9]\d{0,14}$/.test(version)) versions.set(key, version);
  }
  return versions;
}
