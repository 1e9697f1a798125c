import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where the set-up puts programs that it may not install into the system, seen from the project's root. */
export const ownToolsFolder = ".tools/bin";

/** Absolute path of the first of `names` on PATH or among the project's own tools; throws with what to install when none is there. */
export function findProgram(projectRoot: string, names: readonly string[]): string {
  const onPath = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const folder of [...onPath, join(projectRoot, ownToolsFolder)]) {
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
  throw new Error(`${names.join(" or ")} is neither on PATH nor in ${ownToolsFolder}; \`npm run demo\` installs what is missing.`);
}
