// `npm run test:long`: what takes too long for every change. Each part is one line here.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root, say } from "./install.js";

const parts = [
  { name: "tables of rollouts", args: ["setup/rollout-tables.js"] },
  { name: "second opinion on 100,000 usage objects", args: ["setup/second-opinion.js"] },
  { name: "security incident on plain git", args: ["setup/demo.js", "--scenario", "security", "--code-host", "git", "--once", "--json"] },
  { name: "chaos, 200 runs", args: ["setup/chaos.js", "--runs", "200", "--minutes", "20"] },
];

let failed = 0;
for (const { name, args } of parts) {
  say(`\n== ${name}`);
  const started = performance.now();
  const { status } = spawnSync(process.execPath, [join(root, args[0]), ...args.slice(1)], { cwd: root, stdio: "inherit" });
  say(`== ${name}: ${status === 0 ? "ok" : "FAILED"} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  if (status !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
