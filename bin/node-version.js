// Read before anything is installed or built, by any Node: so it is plain JavaScript without recent syntax.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What to say when this Node is older than `engines` in the package.json of `folder` demands; undefined when it is not.
 * @param {string} folder
 * @param {string} version
 * @returns {string | undefined}
 */
export function tooOldNode(folder, version = process.versions.node) {
  const wanted = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).engines.node.replace(">=", "");
  const [major, minor] = wanted.split(".").map(Number);
  const [haveMajor, haveMinor] = version.split(".").map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return undefined;
  return `runbookd needs Node ${wanted} or newer; this is ${version}. https://nodejs.org/en/download has it.`;
}
