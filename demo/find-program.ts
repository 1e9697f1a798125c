import { join } from "node:path";
import { packageFolder } from "../src/cli/process-context.ts";
import { findExecutable } from "../src/platform/find-executable.ts";

/** Where the set-up puts programs that it may not install into the system, seen from the project's root. */
const projectTools = ".tools/bin";

/** Path of the first of `names` on PATH or among the project's own tools; throws with what to install when none is there. */
export function findProgram(...names: readonly string[]): string {
  const path = findExecutable(names, process.env["PATH"] ?? "", [join(packageFolder(), projectTools)]);
  if (path !== undefined) return path;
  throw new Error(
    `${names.join(" or ")} is neither on PATH nor in ${projectTools}; \`npm run demo\` and \`npm test\` install what is missing.`,
  );
}
