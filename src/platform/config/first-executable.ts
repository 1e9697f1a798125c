import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The folders of a PATH. */
export function foldersOf(path: string): readonly string[] {
  return path.split(delimiter).filter((folder) => folder !== "");
}

/** Path of the first program of these names in these folders, folder by folder; undefined when there is none that may be executed. */
export function firstExecutable(names: readonly string[], folders: readonly string[]): string | undefined {
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((file) => isExecutable(file));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
