// Copies what is data beside the sources into the build: Lua scripts, price tables, the script of a page and the like.
import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join, sep } from "node:path";

const root = join(import.meta.dirname, "..");
const extensions = [".lua", ".json", ".html", ".css", ".svg", ".js"];
// Fixtures serve tests; a workspace's own manifest, modules and build are no data of its modules.
const skipped = /(^|\/)((fixtures|node_modules|dist)\/|(package|tsconfig[\w.]*)\.json$)/;

/** Data lies beside the module that reads it, or one folder below; where that module was not built, nothing reads the data. */
const isBuilt = (folder) => [folder, dirname(folder)].some((place) => place.includes(sep) && existsSync(join(root, "dist", place)));

let copied = 0;
// Pictures of the console are in dist too, and come from no folder of sources.
const built = readdirSync(join(root, "dist"), { withFileTypes: true }).filter(
  (entry) => entry.isDirectory() && existsSync(join(root, entry.name)),
);
for (const { name: folder } of built) {
  for (const file of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })) {
    const asset = join(folder, file);
    if (!extensions.some((extension) => file.endsWith(extension)) || skipped.test(asset) || !isBuilt(dirname(asset))) continue;
    const target = join(root, "dist", asset);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(root, asset), target);
    copied += 1;
  }
}
process.stdout.write(`copied ${copied} asset(s) into dist\n`);
