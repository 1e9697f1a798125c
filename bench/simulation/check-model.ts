import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What Spin says of one variant of the model. */
export interface ModelResult {
  /** Macros that it was compiled with. */
  readonly macros: readonly string[];
  readonly states: number;
  readonly errors: number;
}

/** The protocol, for effects with a key and for effects that must not be repeated; every state of both is visited. */
export const soundVariants: readonly (readonly string[])[] = [[], ["ONCE"]];

/** Each leaves one part of the protocol out, and must be found wrong. */
export const brokenVariants: readonly (readonly string[])[] = [
  ["NOFENCE"],
  ["NOWAIT"],
  ["NOINTENT"],
  ["FREEKEY"],
  ["ONCE", "NOFENCE"],
  ["ONCE", "NOWAIT"],
  ["ONCE", "NOINTENT"],
  ["ONCE", "NOPARK"],
  ["ONCE", "COUNTER"],
];

const model = join(import.meta.dirname, "..", "..", "..", "bench", "simulation", "lease.pml");

/** Has Spin verify the model with these macros. Undefined: Spin or a C compiler is not installed. */
export function checkModel(macros: readonly string[]): ModelResult | undefined {
  const cwd = mkdtempSync(join(tmpdir(), "runbookd-model-"));
  try {
    const isBuilt =
      spawnSync("spin", [...macros.map((macro) => `-D${macro}`), "-a", model], { cwd }).status === 0 &&
      spawnSync("cc", ["-O1", "-DSAFETY", "-o", "pan", "pan.c"], { cwd }).status === 0;
    if (!isBuilt) return undefined;
    const { stdout } = spawnSync(join(cwd, "pan"), ["-m100000"], { cwd, encoding: "utf8" });
    const isWhole = !/search depth too small|out of memory/u.test(stdout);
    const states = Number(/(\d+) states, stored/u.exec(stdout)?.[1] ?? Number.NaN);
    const errors = Number(/errors: (\d+)/u.exec(stdout)?.[1] ?? Number.NaN);
    if (!isWhole || Number.isNaN(states + errors)) throw new Error(`Spin did not come to an end:\n${stdout}`);
    return { macros, states, errors };
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}
