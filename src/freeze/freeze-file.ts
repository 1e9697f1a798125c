import { readFile } from "node:fs/promises";
import type { Freeze } from "../../packages/sdk/src/wire/freezes.ts";
import type { Clock } from "../core/clock.ts";

/** While this file exists nothing is changed; it works while Redis is down. */
export interface FreezeFile {
  /** The freeze that the file means now, looked at again after a second. Never rejects. */
  standing(): Promise<Freeze | undefined>;
}

/** How old a look may be, in milliseconds. */
const freshMs = 1000;
const maxReason = 300;

/**
 * The file's text is the reason; a line `no-undo` forbids undo as well. A file that is there and cannot be read freezes everything:
 * what cannot be seen is not taken for permission.
 */
export function createFreezeFile(path: string, clock: Clock): FreezeFile {
  let cached: { readonly at: number; readonly freeze: Freeze | undefined } | undefined;
  return {
    async standing() {
      const at = clock.monotonic();
      if (cached !== undefined && at - cached.at < freshMs) return cached.freeze;
      const freeze = await readFreeze(path, cached?.freeze?.at ?? clock.now());
      cached = { at, freeze };
      return freeze;
    },
  };
}

async function readFreeze(path: string, at: number): Promise<Freeze | undefined> {
  const frozen = { scope: "all", by: "the freeze file", at };
  try {
    const lines = (await readFile(path, "utf8")).split("\n").map((line) => line.trim());
    const reason = lines
      .filter((line) => line !== "" && line !== "no-undo")
      .join(" ")
      .slice(0, maxReason);
    return { ...frozen, reason: reason === "" ? "the file is there" : reason, undo: !lines.includes("no-undo") };
  } catch (error) {
    if (typeof error === "object" && error !== null && "code" in error && error.code === "ENOENT") return undefined;
    return { ...frozen, reason: "the file cannot be read", undo: true };
  }
}
