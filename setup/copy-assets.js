// Copies what is data beside the sources into the build: Lua scripts, price tables, a page's own script and the like.
import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const extensions = [".lua", ".json", ".html", ".css", ".svg", ".js"];
// Fixtures serve tests, and the console is built by its own tool.
const skipped = /(^|\/)(fixtures|testing|console)\//;

let copied = 0;
for (const folder of ["src", "workers", "bench"]) {
  for (const file of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })) {
    if (!extensions.some((extension) => file.endsWith(extension)) || skipped.test(file)) continue;
    const target = join(root, "dist", folder, file);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(root, folder, file), target);
    copied += 1;
  }
}
process.stdout.write(`copied ${copied} asset(s) into dist\n`);
