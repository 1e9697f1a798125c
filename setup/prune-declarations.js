// Deletes the declarations in dist that no importer of the package can reach: tsc writes one for every module of a program.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const reached = new Set();
const open = Object.values(exports).map(({ types }) => join(root, types));
for (let file = open.pop(); file !== undefined; file = open.pop()) {
  if (reached.has(file)) continue;
  reached.add(file);
  for (const [, specifier] of readFileSync(file, "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g))
    open.push(join(dirname(file), specifier.replace(/\.(ts|js)$/, ".d.ts")));
}

for (const entry of readdirSync(join(root, "dist"), { recursive: true, withFileTypes: true })) {
  const file = join(entry.parentPath, entry.name);
  if (entry.name.endsWith(".d.ts") && !reached.has(file)) rmSync(file);
}
