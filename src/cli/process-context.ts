import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isatty } from "node:tty";
import { createSystemClock } from "../core/clock.ts";
import { createSystemRandom } from "../core/random.ts";
import { createMainThreadCpu } from "../platform/main-thread-cpu.ts";
import type { CommandContext } from "./context.ts";

/** The context of a real command line: this process. Interrupt and terminate abort its signal. */
export function createProcessContext(): CommandContext {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => controller.abort(new Error(`stopped by ${name}`)));
  // A reader such as `head` has enough: the command ends with its own exit code, and what follows goes on no longer.
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      controller.abort(new Error("the reader of the output is gone"));
    });
  return {
    env: process.env,
    workingDirectory: process.cwd(),
    write: (text) => void process.stdout.write(text),
    warn: (text) => void process.stderr.write(text),
    isTerminal: isatty(1),
    fetch,
    clock: createSystemClock(),
    random: createSystemRandom(),
    signal: controller.signal,
    cpuMs: createMainThreadCpu(),
    exitNow: (code) => process.exit(code),
  };
}

/** The version in the nearest package.json above this file. Throws when there is none: the installation is broken. */
export function readVersion(): string {
  // A schema would do; its library takes longer to load than everything else that `--version` needs.
  const manifest: unknown = JSON.parse(readFileSync(join(packageFolder(), "package.json"), "utf8"));
  if (typeof manifest === "object" && manifest !== null && "version" in manifest && typeof manifest.version === "string")
    return manifest.version;
  throw new Error("package.json above the installed files names no version");
}

/** The folder that holds package.json, alerts and runbooks: the same for the sources and for the build. */
export function packageFolder(): string {
  let folder = import.meta.dirname;
  for (;;) {
    try {
      readFileSync(join(folder, "package.json"));
      return folder;
    } catch {
      const parent = dirname(folder);
      if (parent === folder) throw new Error("package.json is missing above the installed files");
      folder = parent;
    }
  }
}
