import { isAbsolute } from "node:path";
import { firstExecutable, foldersOf } from "./config/first-executable.ts";

/** Absolute path of a program in the folders of `path` and where systems keep it; undefined when there is none. */
export function findExecutable(name: string, path: string): string | undefined {
  return firstExecutable([name], [...foldersOf(path).filter((folder) => isAbsolute(folder)), "/usr/bin", "/bin"]);
}
