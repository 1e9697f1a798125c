import { join } from "node:path";
import { firstExecutable, foldersOf } from "../../src/platform/config/first-executable.ts";

/** Where the set-up puts programs that it could not install into the system. */
const ownTools = join(import.meta.dirname, "../../.tools/bin");

/** Path of the first of `names` that is on PATH or in the project's own tools; throws when none is. */
export function findBinary(...names: string[]): string {
  const found = firstExecutable(names, [...foldersOf(process.env["PATH"] ?? ""), ownTools]);
  if (found !== undefined) return found;
  throw new Error(`${names.join(" or ")} is neither on PATH nor in .tools/bin; \`npm test\` installs what is missing.`);
}
