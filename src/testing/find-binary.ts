import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where the set-up puts programs that it could not install into the system. */
const ownTools = join(import.meta.dirname, "../../.tools/bin");

/** Absolute path of the first of `names` that is on PATH or in the project's own tools; throws when none is. */
export function findBinary(...names: string[]): string {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== ""), ownTools];
  for (const folder of folders) {
    for (const name of names) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        continue;
      }
    }
  }
  throw new Error(`${names.join(" or ")} is neither on PATH nor in .tools/bin; \`npm test\` installs what is missing.`);
}
