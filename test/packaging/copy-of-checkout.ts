import { cpSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/** Copies the checkout without its builds and what git ignores into an empty folder; its modules are linked. Packing there leaves the checkout's own build alone. */
export function copyOfCheckout(root: string, folder: string): void {
  const left = new Set([".git", ".tools", ".runbookd", "dist", "node_modules", "coverage"]);
  for (const name of readdirSync(root).filter((entry) => !left.has(entry)))
    cpSync(join(root, name), join(folder, name), { recursive: true, filter: (source) => !/\/(node_modules|dist)$/.test(source) });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
}
