// Makes dependencies of the optional peers in package.json, at the locked versions. Only the container image does this, so that pruning the
// development packages leaves the SDKs of providers in it; `npm ci` has compared them with package-lock.json before.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const file = join(import.meta.dirname, "../package.json");
const manifest = JSON.parse(readFileSync(file, "utf8"));
for (const name of Object.keys(manifest.peerDependenciesMeta)) {
  manifest.dependencies[name] = manifest.devDependencies[name];
  delete manifest.devDependencies[name];
}
writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
