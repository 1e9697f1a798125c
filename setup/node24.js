// The Node of the container image, installed beside the clone's own when the unit tests ask for it.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./install.js";

const folder = join(root, "test/node24");

/** The program, installed on demand; undefined where it cannot be had: without a network, or on a platform without such a package. */
export function findNode24() {
  const { optionalDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const name = `node-${process.platform}-${process.arch}`;
  const version = optionalDependencies[name];
  if (version === undefined) return undefined;
  const program = join(folder, "node_modules", name, "bin/node");
  if (isVersion(program, version)) return program;
  spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0"], { cwd: folder, stdio: "ignore" });
  return isVersion(program, version) ? program : undefined;
}

function isVersion(program, version) {
  if (!existsSync(program)) return false;
  return spawnSync(program, ["--version"], { encoding: "utf8" }).stdout?.trim() === `v${version}`;
}
