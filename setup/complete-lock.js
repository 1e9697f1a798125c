// Completes package-lock.json after `npm install <package>`: where node_modules exists, npm leaves out the optional packages of other platforms,
// and `npm ci` refuses the lock file there. Asked for the lock file alone, it resolves them with their integrity. Needs the registry.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const file = join(root, "package-lock.json");

// npm keeps what is locked as it is; an entry without integrity must be resolved anew.
const lock = JSON.parse(readFileSync(file, "utf8"));
for (const path of unproven(lock)) delete lock.packages[path];
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);

const { status } = spawnSync("npm", ["install", "--package-lock-only", "--no-audit", "--no-fund"], {
  cwd: root,
  stdio: "inherit",
  shell: process.platform === "win32",
});
const left = unproven(JSON.parse(readFileSync(file, "utf8")));
for (const path of left) process.stderr.write(`${path} has no integrity in package-lock.json.\n`);
process.exitCode = status === 0 && left.length === 0 ? 0 : 1;

/** Packages whose bytes nothing checks; the project itself and its workspaces have none to check. */
function unproven({ packages }) {
  return Object.entries(packages)
    .filter(([path, { link, integrity }]) => path.includes("node_modules/") && link !== true && integrity === undefined)
    .map(([path]) => path);
}
