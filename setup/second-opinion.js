// 100,000 generated usage objects, read by us and by genai-prices; `npm test` does a few thousand.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./install.js";

const flags = ["--experimental-vm-modules", "--no-warnings", join(root, "node_modules/jest/bin/jest.js")];
const { status } = spawnSync(process.execPath, [...flags, "--selectProjects", "unit", "--testPathPatterns", "second-opinion"], {
  cwd: root,
  env: { ...process.env, USAGE_OBJECTS: "100000" },
  stdio: "inherit",
});
process.exitCode = status ?? 1;
