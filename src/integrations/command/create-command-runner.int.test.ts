import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { CommandOutcome, CommandStart } from "../../actions/command-runner.ts";
import { createSystemClock } from "../../core/clock.ts";
import { sha256 } from "../../core/json.ts";
import { findExecutable } from "../../platform/find-executable.ts";
import { processesOf } from "./command-processes.ts";
import { createCommandRunner } from "./create-command-runner.ts";

let folder: string;
let next = 0;
const setpriv = findExecutable(["setpriv"], process.env["PATH"] ?? "");
const secret = "s3cret-of-the-target";
const runner = createCommandRunner({
  templates: [],
  clock: createSystemClock(),
  setpriv,
  redact: (text) => text.replaceAll(secret, "[secret]"),
  graceMs: 400,
});

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "runbookd-command-")));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** A script of this text; the tests may write shell, the product never does. */
async function script(text: string): Promise<string> {
  const file = join(folder, `script-${next++}`);
  await writeFile(file, `#!/bin/sh\n${text}\n`);
  await chmod(file, 0o755);
  return file;
}

function started(argv: readonly string[], change: Partial<CommandStart> = {}): CommandStart {
  return { argv, env: {}, cwd: folder, cookie: `cookie-${next++}`, signal: new AbortController().signal, ...change };
}

function exited(outcome: CommandOutcome) {
  if (outcome.kind !== "exited") throw new Error(JSON.stringify(outcome));
  return outcome;
}

/** Runs a script and stops it once it has written `ready`. */
async function stopped(text: string, reason?: Error): Promise<{ readonly outcome: CommandOutcome; readonly command: CommandStart }> {
  const ready = join(folder, `ready-${next++}`);
  const cut = new AbortController();
  const command = started([await script(text), ready], { signal: cut.signal });
  const running = runner.run(command);
  while (!existsSync(ready)) await new Promise((resolve) => setTimeout(resolve, 10));
  cut.abort(reason);
  return { outcome: await running, command };
}

const remaining = async ({ cookie }: CommandStart) => processesOf({ group: undefined, cookie });

describe("a command", () => {
  it("gets its arguments as they are, and no shell reads them", async () => {
    const values = ["$(touch pwned)", "`id`", "a && b | c", "; rm -rf /", "%0a", "*", "'\"", "--", "-rf"];
    const { code, stdout } = exited(await runner.run(started(["/usr/bin/printf", "%s\\n", ...values])));
    expect(code).toBe(0);
    expect(stdout.text).toBe(`${values.join("\n")}\n`);
    expect(existsSync(join(folder, "pwned"))).toBe(false);
  });

  it("gets exactly its environment, its folder and an empty input", async () => {
    const command = started([await script("/usr/bin/env | /usr/bin/sort; /bin/pwd; /bin/cat")], { env: { REGION: "eu" } });
    process.env["LEAKED_SECRET"] = "x";
    const { stdout } = exited(await runner.run(command));
    delete process.env["LEAKED_SECRET"];
    const lines = stdout.text.trim().split("\n");
    // The shell of the test's script adds PWD and its kin itself.
    expect(lines.filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line))).toEqual([
      "REGION=eu",
      `RUNBOOKD_COMMAND=${command.cookie}`,
      folder,
    ]);
  });

  it("tells its exit status and keeps both streams apart", async () => {
    const { code, hasOrphans, stdout, stderr } = exited(await runner.run(started([await script("echo out; echo err >&2; exit 7")])));
    expect({ code, hasOrphans }).toEqual({ code: 7, hasOrphans: false });
    expect([stdout.text, stderr.text]).toEqual(["out\n", "err\n"]);
    expect(stdout.sha256).toBe(sha256("out\n"));
  });

  it("is not started when the program, the folder or the permission is missing", async () => {
    const plain = join(folder, "plain");
    await writeFile(plain, "text");
    for (const command of [
      started(["/no/such/program"]),
      started([plain]),
      started([folder]),
      started(["/bin/true"], { cwd: "/no/such/folder" }),
      started(["/bin/true"], { signal: AbortSignal.abort() }),
    ])
      expect(await runner.run(command)).toMatchObject({ kind: "not_started" });
  });

  it("may write 100 MB: 64 kB are kept, all of it is hashed", async () => {
    const { stdout } = exited(await runner.run(started(["/usr/bin/head", "-c", "100000000", "/dev/zero"])));
    expect(stdout).toMatchObject({ bytes: 100_000_000, truncated: true });
    expect(stdout.text).toHaveLength(65_536);
    expect(stdout.sha256).toBe(sha256(new Uint8Array(100_000_000)));
  });

  it("shows no secret, not even one that stands on the limit of what is kept", async () => {
    const small = createCommandRunner({
      templates: [],
      clock: createSystemClock(),
      setpriv,
      redact: (text) => text.replaceAll(secret, "[secret]"),
      maxBytes: 100,
    });
    const text = `${"x".repeat(95)}${secret}${"y".repeat(9000)}`;
    const { stdout } = exited(await small.run(started(["/usr/bin/printf", "%s", text])));
    expect(stdout.text).not.toContain("s3cret");
    expect(stdout.text).toContain("x".repeat(80));
    const near = exited(await small.run(started(["/usr/bin/printf", "%s", `${"x".repeat(95)}${secret}`])));
    expect(near.stdout).toMatchObject({ text: `${"x".repeat(95)}[secr`, truncated: true });
    expect(exited(await runner.run(started(["/usr/bin/printf", "%s", `a ${secret} b`]))).stdout.text).toBe("a [secret] b");
  });
});

describe("a command that does not end", () => {
  it("is ended by SIGTERM, and told apart when its time was over", async () => {
    const text = 'echo said; : > "$1"; exec /bin/sleep 1000';
    expect((await stopped(text)).outcome).toMatchObject({ kind: "killed", why: "stopped", signal: "SIGTERM", stdout: { text: "said\n" } });
    expect((await stopped(text, new DOMException("late", "TimeoutError"))).outcome).toMatchObject({ kind: "killed", why: "timeout" });
  });

  it("is killed when it ignores SIGTERM", async () => {
    const { outcome, command } = await stopped('trap "" TERM; : > "$1"; while :; do /bin/sleep 1; done');
    expect(outcome).toMatchObject({ kind: "killed", why: "stopped", signal: "SIGKILL" });
    expect(await remaining(command)).toEqual([]);
  });

  it("takes along what it has forked, and what it has forked into a session of its own", async () => {
    const { outcome, command } = await stopped(
      '/bin/sleep 1001 & (trap "" TERM; /bin/sleep 1002) & /usr/bin/setsid /bin/sleep 1003 & /bin/sleep 0.2; : > "$1"; wait',
    );
    expect(outcome).toMatchObject({ kind: "killed", why: "stopped" });
    expect(await remaining(command)).toEqual([]);
  });

  it("tells of a signal that somebody else sent", async () => {
    expect(await runner.run(started([await script("kill -9 $$")]))).toMatchObject({ kind: "killed", why: "signal", signal: "SIGKILL" });
  });
});

describe("a command that ends and leaves something behind", () => {
  it.each([
    ["in its group", "/bin/sleep 1000 &"],
    ["with its output held open by a daemon", "/usr/bin/setsid /bin/sleep 1000 &"],
    ["as a daemon of a daemon", "/usr/bin/setsid /bin/sh -c '/usr/bin/nohup /bin/sleep 1000 > /dev/null 2>&1 &' &"],
  ])("%s is killed and told of", async (_name, text) => {
    const command = started([await script(`echo done; ${text}\n/bin/sleep 0.2`)]);
    expect(exited(await runner.run(command))).toMatchObject({ code: 0, hasOrphans: true, stdout: { text: "done\n" } });
    expect(await remaining(command)).toEqual([]);
  });

  it("is given a moment when it is about to end by itself", async () => {
    expect(exited(await runner.run(started([await script("/bin/sleep 0.1 &")])))).toMatchObject({ hasOrphans: false });
  });
});

describe("a worker that is killed", () => {
  it("takes its command along, and the next attempt ends what that one had forked", async () => {
    expect(setpriv).toBeDefined();
    const pidFile = join(folder, "pid");
    const file = await script(`/bin/sleep 1004 & echo $$ > ${pidFile}.part; /bin/mv ${pidFile}.part ${pidFile}; exec /bin/sleep 1005`);
    const command = started([file]);
    const { signal: _signal, ...plain } = command;
    const built = (file: string) => pathToFileURL(join(import.meta.dirname, "../../../dist/src", file)).href;
    const source = `
      const { createCommandRunner } = await import(${JSON.stringify(built("integrations/command/create-command-runner.js"))});
      const { createSystemClock } = await import(${JSON.stringify(built("core/clock.js"))});
      const runner = createCommandRunner({ templates: [], clock: createSystemClock(), setpriv: ${JSON.stringify(setpriv)}, redact: (text) => text });
      await runner.run({ ...${JSON.stringify(plain)}, signal: new AbortController().signal });`;
    const worker = spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: ["ignore", "ignore", "inherit"] });
    while (!existsSync(pidFile)) {
      if (worker.exitCode !== null) throw new Error(`The worker ended with ${worker.exitCode}.`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const pid = Number(await readFile(pidFile, "utf8"));
    expect(await remaining(command)).toContain(pid);
    const gone = new Promise((resolve) => worker.once("exit", resolve));
    worker.kill("SIGKILL");
    await gone;
    while ((await remaining(command)).includes(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
    // pdeathsig reaches the command itself; what it forked lives on until the step is tried again on this machine.
    expect(await remaining(command)).toHaveLength(1);
    expect(exited(await runner.run({ ...command, argv: ["/bin/true"] })).code).toBe(0);
    expect(await remaining(command)).toEqual([]);
  });
});

describe("the real place of a path", () => {
  it("is below its root, or there is none", async () => {
    await writeFile(join(folder, "inside.txt"), "");
    await symlink("/etc/passwd", join(folder, "link"));
    await symlink(join(folder, "inside.txt"), join(folder, "good-link"));
    expect(await runner.placeBelow(folder, "inside.txt")).toBe(join(folder, "inside.txt"));
    expect(await runner.placeBelow(folder, "good-link")).toBe(join(folder, "inside.txt"));
    for (const path of ["link", "../../etc/passwd", "missing", "."]) expect(await runner.placeBelow(folder, path)).toBeUndefined();
  });
});
