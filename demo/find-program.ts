import { join } from "node:path";
import { firstExecutable, foldersOf } from "../src/platform/config/first-executable.ts";

/** Where the set-up puts programs that it may not install into the system, seen from the project's root. */
export const ownToolsFolder = ".tools/bin";

/** Path of the first of `names` on PATH or among the project's own tools; throws with what to install when none is there. */
export function findProgram(projectRoot: string, names: readonly string[]): string {
  const found = firstExecutable(names, [...foldersOf(process.env["PATH"] ?? ""), join(projectRoot, ownToolsFolder)]);
  if (found !== undefined) return found;
  throw new Error(`${names.join(" or ")} is neither on PATH nor in ${ownToolsFolder}; \`npm run demo\` installs what is missing.`);
}
