// `npm test`: every check and test that needs no accelerator and no outside network. `-- --only unit,lint` selects stages.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { prepare, root, say } from "./install.js";
import { findNode24 } from "./node24.js";

const bin = (name) => join(root, "node_modules/.bin", name);
const cli = [process.execPath, join(root, "bin/runbookd.js")];
const scratch = mkdtempSync(join(tmpdir(), "rb-check-"));

/** Tests without services share the cores. A process that has grown begins anew: one that has run hundreds of suites spends its time on its memory. */
const everyCore = ["--maxWorkers=100%", "--workerIdleMemoryLimit=1GB"];

/**
 * In order. `tests`: jest counts for itself; everything else counts as one. `node`: finds the program that runs jest, if it can be had.
 * `files`: a pattern of their paths; all without it. `flags`: more of jest's.
 * `notRun`: the exit code of a command that could not install what it needs, which counts as nothing.
 */
const stages = [
  { name: "format", command: [bin("biome"), "check", "."] },
  { name: "lint", command: [bin("oxlint"), "--type-aware", "."] },
  { name: "types", command: ["npm", "run", "--silent", "check:types"] },
  { name: "build", command: ["npm", "run", "--silent", "build:dev"] },
  { name: "layers", command: ["npm", "run", "--silent", "check:layers"] },
  { name: "dead", command: [bin("knip")] },
  { name: "runbooks", command: [...cli, "lint"] },
  { name: "index", command: [...cli, "index", "--check"] },
  { name: "unit", tests: "unit", flags: everyCore },
  // What computes for minutes and calls nothing of Node; `npm run test:long` has it too.
  { name: "unit-node24", tests: "unit", node: findNode24, flags: everyCore, files: "^(?!.*/(test/rehearsals\\.|bench/|src/llm/))" },
  { name: "clients", command: [process.execPath, join(root, "setup/clients.js")], notRun: 75 },
  { name: "simulation", tests: "simulation" },
  // Other worlds each time; a seed that breaks a rule is named.
  { name: "worlds", command: [process.execPath, join(root, "dist/bench/simulation/sim.js"), "--seeds", "5000", "--from", "fresh"] },
  { name: "integration", tests: "integration", flags: ["--maxWorkers=2"] },
  { name: "e2e", tests: "e2e" },
];

const { values } = parseArgs({ options: { only: { type: "string" } } });
const only = values.only?.split(",");
const unknown = only?.filter((name) => !stages.some((stage) => stage.name === name)) ?? [];
if (unknown.length > 0) {
  say(`No stage ${unknown.join(", ")}; there are: ${stages.map(({ name }) => name).join(", ")}.`);
  process.exit(2);
}

const env = prepare(["redis", "prometheus", "alertmanager", "browser", "curl", "python"]);
const results = [];
// The product checks its own documents, and some tests start it as built: a selection must not meet an old build.
const needsBuild = (stage) => stage.command?.[1] === cli[1] || ["worlds", "integration", "e2e"].includes(stage.name);
const picked = stages.filter(({ name }) => only?.includes(name) ?? true);
const selected = stages.filter((stage) => picked.includes(stage) || (stage.name === "build" && picked.some(needsBuild)));
for (const stage of selected) {
  process.stdout.write(`\n== ${stage.name}\n`);
  const started = performance.now();
  const counts = stage.tests === undefined ? runCommand(stage) : await runTests(stage);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`== ${stage.name}: ${counts.failed === 0 ? "ok" : "FAILED"} in ${seconds} s\n`);
  results.push({ name: stage.name, seconds, ...counts });
}
rmSync(scratch, { recursive: true, force: true });

process.stdout.write("\nstage         seconds   passed   failed\n");
for (const { name, seconds, passed, failed } of results) {
  process.stdout.write(`${name.padEnd(12)} ${seconds.padStart(8)} ${String(passed).padStart(8)} ${String(failed).padStart(8)}\n`);
}
const sum = (field) => results.reduce((total, result) => total + result[field], 0);
process.stdout.write(`\n${sum("passed")} passed, ${sum("failed")} failed\n`);
process.exitCode = sum("failed") === 0 ? 0 : 1;

function runCommand({ command: [command, ...args], notRun }) {
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
  if (error !== undefined) say(error.message);
  if (status !== null && status === notRun) return { passed: 0, failed: 0 };
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function runTests({ name, tests: project, node = () => process.execPath, files, flags: more = [] }) {
  const program = node();
  if (program === undefined) {
    process.stdout.write(`Node 24 could not be installed; these tests ran under Node ${process.versions.node} only.\n`);
    return { passed: 0, failed: 0 };
  }
  const report = join(scratch, `${name}.json`);
  const flags = ["--experimental-vm-modules", "--no-warnings", join(root, "node_modules/jest/bin/jest.js")];
  const child = spawn(
    program,
    [
      ...flags,
      "--selectProjects",
      project,
      ...(files === undefined ? [] : ["--testPathPatterns", files]),
      ...more,
      "--ci",
      "--passWithNoTests",
      "--json",
      "--outputFile",
      report,
    ],
    // The report goes to the file and, with --json, to standard output too; people read standard error.
    { cwd: root, env, stdio: ["ignore", "ignore", "inherit"] },
  );
  let hangs = false;
  let waited = 0;
  // jest writes its report when the last test has ended; whoever left something open keeps it from ending, and must not keep us.
  const watch = setInterval(() => {
    waited += existsSync(report) ? 1 : 0;
    if (waited < 60) return;
    hangs = true;
    child.kill("SIGKILL");
  }, 1000);
  const [status] = await once(child, "exit");
  clearInterval(watch);
  if (hangs) say(`The ${name} tests ended and their process did not: a test left a server, a process or a timer open.`);
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, "utf8"));
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    return { passed: numPassedTests, failed: status === 0 ? failed : Math.max(1, failed) };
  } catch {
    return { passed: 0, failed: 1 };
  }
}
