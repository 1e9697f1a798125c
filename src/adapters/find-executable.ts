import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** Absolute path of a program in the folders of `path` and where systems keep it; undefined when there is none. */
export function findExecutable(name: string, path: string): string | undefined {
  const folders = [...path.split(delimiter).filter((folder) => isAbsolute(folder)), "/usr/bin", "/bin"];
  return folders.map((folder) => join(folder, name)).find((file) => isExecutable(file));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
