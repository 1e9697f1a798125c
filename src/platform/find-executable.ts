import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** Where systems keep programs that a short PATH may not list. */
const systemFolders = ["/usr/bin", "/bin"];

/**
 * Absolute path of the first program of these names, folder by folder: in the absolute folders of `path` (a value of PATH), then in `places`.
 * Undefined when there is none that may be executed.
 */
export function findExecutable(names: readonly string[], path: string, places: readonly string[] = systemFolders): string | undefined {
  const folders = [...path.split(delimiter).filter((folder) => isAbsolute(folder)), ...places];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((file) => isExecutable(file));
}

/** Whether `file` is a file that this process may execute. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
