import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** When Redis makes a write durable. */
export type Fsync = "always" | "everysec";

/** A child process of the bench. Disposing it ends it and waits for its end. */
export interface Program extends AsyncDisposable {
  readonly pid: number;
}

/** A folder of its own for one measurement; disposing removes it. */
export function createWorkFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "runbookd-bench-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** redis-server on a private unix socket with the settings that both sides get. */
export async function startRedis(folder: string, fsync: Fsync): Promise<Program & { readonly socketPath: string }> {
  const socketPath = join(folder, "redis.sock");
  const settings = ["--port", "0", "--unixsocket", socketPath, "--dir", folder, "--save", "", "--maxmemory-policy", "noeviction"];
  const durability = ["--appendonly", "yes", "--appendfsync", fsync, "--auto-aof-rewrite-percentage", "0"];
  const program = await startProgram("redis-server", [...settings, ...durability], /ready to accept connections/i);
  return { ...program, socketPath };
}

/** Starts a program and waits until a line of its output says that it is ready; its errors go to ours. */
export async function startProgram(
  command: string,
  args: readonly string[],
  ready: RegExp,
  env: Readonly<Record<string, string>> = {},
  cwd: string = process.cwd(),
): Promise<Program & { readonly output: string }> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], cwd, env: { ...process.env, ...env } });
  // An interrupted bench leaves nothing behind.
  const endWithUs = (): void => void child.kill("SIGKILL");
  process.once("exit", endWithUs);
  child.once("exit", () => process.off("exit", endWithUs));
  const output = await waitForLine(child, ready, command);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} did not start`);
  return { pid, output, [Symbol.asyncDispose]: () => endProgram(child) };
}

function waitForLine(child: ChildProcess, ready: RegExp, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${command} was not ready within 20 s:\n${output}`));
    }, 20_000);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${command} ended with ${code} before it was ready:\n${output}`)));
    child.stdout?.setEncoding("utf8").on("data", (chunk) => {
      if (output.length < 100_000) output += String(chunk);
      if (!ready.test(output)) return;
      clearTimeout(timer);
      resolve(output);
    });
  });
}

async function endProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
  await ended;
  clearTimeout(timer);
}
