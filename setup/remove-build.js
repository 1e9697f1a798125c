// Empties dist, or the build that is named, so that a build for release holds nothing of an earlier one.
import { rmSync } from "node:fs";
import { join } from "node:path";

const [build = "dist"] = process.argv.slice(2);
rmSync(join(import.meta.dirname, "..", build), { recursive: true, force: true });
