// Adds to package-lock.json the optional packages of other platforms that npm left out, as it does when a registry mirror does not
// have them. Without them `npm ci` refuses the lock file. Run it after `npm install <package>`; it changes nothing when all is there.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const file = join(import.meta.dirname, "../package-lock.json");
const lock = JSON.parse(readFileSync(file, "utf8"));
const systems = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];

let added = 0;
for (const [path, owner] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    if (isLocked(path, name)) continue;
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(owner.dev && { dev: true }),
      ...(owner.devOptional && { devOptional: true }),
      ...platformOf(name),
      optional: true,
    };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
if (added > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`added ${added} package(s) to package-lock.json\n`);

/** Node looks from the owner's folder upwards. */
function isLocked(path, name) {
  for (let base = path; ; base = base.slice(0, Math.max(0, base.lastIndexOf("/node_modules/")))) {
    if (lock.packages[`${base === "" ? "" : `${base}/`}node_modules/${name}`] !== undefined) return true;
    if (base === "") return false;
  }
}

/** Such packages are named after their platform, e.g. `binding-linux-x64-musl`; without these fields npm would install every one. */
function platformOf(name) {
  const words = name.replace(/^@[^/]+\//, "").split("-");
  const at = words.findIndex((word) => systems.includes(word));
  if (at < 0) throw new Error(`${name} does not name its platform; add it to package-lock.json by hand.`);
  const [os, cpu, abi = ""] = words.slice(at);
  const libc = os === "linux" && /^(musl|gnu)/.exec(abi);
  return { os: [os], cpu: [cpu], ...(libc && { libc: [libc[1] === "musl" ? "musl" : "glibc"] }) };
}
