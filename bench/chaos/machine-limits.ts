import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { packageFolder } from "../../src/cli/process-context.ts";
import type { FaultKind } from "./faults.ts";

/** The command that gives a program a PID namespace of its own, which ends with it. */
export const namespaceCommand = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"] as const;

/** What this machine has for the faults. */
export interface MachineLimits {
  /** The library that sets the clock of a program; undefined: it could not be made. */
  readonly clockLibrary: string | undefined;
  /** Kinds of faults that this machine cannot run, with the reason. */
  readonly notRun: ReadonlyMap<FaultKind, string>;
}

/** Asks the machine. `folder`: where the library for clocks is made. */
export function readMachineLimits(folder: string): MachineLimits {
  const notRun = new Map<FaultKind, string>();
  const [program, ...args] = namespaceCommand;
  const namespace = whyNot(program, [...args, "true"]);
  if (namespace !== undefined) notRun.set("worker in another PID namespace", namespace);
  const library = join(folder, "set-clock.so");
  const source = join(packageFolder(), "bench/chaos/set-clock.c");
  const clock = process.platform === "linux" ? whyNot("cc", ["-shared", "-fPIC", "-O2", "-o", library, source]) : "only Linux preloads it";
  if (clock !== undefined) notRun.set("Redis' clock set back", clock);
  return { clockLibrary: clock === undefined ? library : undefined, notRun };
}

/** Undefined: the program did it. */
function whyNot(program: string, args: readonly string[]): string | undefined {
  const { error, status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (error !== undefined) return `there is no ${program}`;
  if (status === 0) return undefined;
  return stderr.trim().split("\n")[0] || `${program} failed`;
}
