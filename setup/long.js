// `npm run test:long`: what takes too long for every change. Each part is one line here.
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { root, say } from "./install.js";
import { findNode24 } from "./node24.js";

const seed = String(randomInt(2 ** 31));
const jest = "node_modules/jest/bin/jest.js";

const parts = [
  {
    name: `every unit test, its properties with the seed ${seed} (PROPERTY_SEED), under Node 24 where it can be installed`,
    program: findNode24(),
    args: [jest, "--selectProjects", "unit"],
    env: { PROPERTY_SEED: seed, NODE_OPTIONS: "--experimental-vm-modules --no-warnings" },
  },
  {
    name: "commands with 100,000 open runs",
    args: [jest, "--selectProjects", "integration", "--testPathPatterns", "test/open-runs-growth"],
    env: { GROWTH_RUNS: "100000", NODE_OPTIONS: "--experimental-vm-modules --no-warnings" },
  },
  { name: "tables of rollouts", args: ["setup/rollout-tables.js"] },
  { name: "second opinion on 100,000 usage objects", args: ["setup/second-opinion.js"] },
  { name: "security incident on plain git", args: ["setup/demo.js", "--scenario", "security", "--code-host", "git", "--once", "--json"] },
  { name: "the model of the lease, in every state", args: ["setup/sim.js", "--model"] },
  { name: "100,000 simulated worlds of runs", args: ["setup/sim.js", "--seeds", "100000", "--from", "fresh"] },
  { name: "20,000 simulated worlds of intake", args: ["setup/sim.js", "--seeds", "20000", "--from", "fresh", "--intake"] },
  { name: "2,000 simulated worlds of tickets", args: ["setup/sim.js", "--seeds", "2000", "--from", "fresh", "--tickets"] },
  { name: "the calls of 2,000 worlds in Redis", args: ["setup/sim.js", "--differential", "2000"] },
  { name: "every mutant of the simulation", args: ["setup/sim.js", "--mutants", "--seeds", "10000"] },
  { name: "every small world with at most two faults", args: ["setup/sim.js", "--exhaust", "2"] },
  { name: "chaos, 200 runs", args: ["setup/chaos.js", "--runs", "200", "--minutes", "20"] },
];

let failed = 0;
for (const { name, program = process.execPath, args, env } of parts) {
  say(`\n== ${name}`);
  const started = performance.now();
  const { status } = spawnSync(program, [join(root, args[0]), ...args.slice(1)], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: "inherit",
  });
  say(`== ${name}: ${status === 0 ? "ok" : "FAILED"} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  if (status !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
