// Builds, then becomes the given program: its output, its signals, its exit code.
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { prepare, root, say } from "./install.js";

/** Runs `program` (a path below dist) with the arguments of this process after installing `programs`. */
export function start(program, programs) {
  const env = prepare(programs);
  const build = spawnSync("npm", ["run", "--silent", "build:dev"], {
    cwd: root,
    env,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (build.status !== 0) {
    say("The build failed; its own message is above.");
    process.exit(1);
  }
  const child = spawn(process.execPath, [join(root, "dist", program), ...process.argv.slice(2)], { cwd: root, env, stdio: "inherit" });
  // A terminal sends Ctrl-C to the child as well; we only must not end before the child has cleaned up.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => (signal === "SIGINT" && process.stdin.isTTY) || child.kill(signal));
  child.on("error", (error) => {
    say(error.message);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
  });
}
