import { type ChildProcessByStdio, spawn } from "node:child_process";
import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import type { Readable } from "node:stream";
import type { CommandOutcome, CommandRunner, CommandStart } from "../../actions/command-runner.ts";
import { type Clock, within } from "../../core/clock.ts";
import type { CommandTemplate } from "../../core/command-template.ts";
import { errorField } from "../../core/error-field.ts";
import { captureStream } from "./capture-stream.ts";
import { cookieVariable, processesOf, signalAll } from "./command-processes.ts";
import { inertGitEnvironment } from "./inert-git-environment.ts";

/** What a runner works with; all times in milliseconds. */
export interface CommandRunnerOptions {
  readonly templates: readonly CommandTemplate[];
  /** Path of util-linux' setpriv. Without it a command goes on when its worker is killed. */
  readonly setpriv: string | undefined;
  /** Replaces secrets in what is kept of the output. */
  readonly redact: (text: string) => string;
  readonly clock: Clock;
  /** From SIGTERM to SIGKILL; 5 s unless said. */
  readonly graceMs?: number;
  /** Kept of each stream; 64 kB unless said. */
  readonly maxBytes?: number;
}

/** How long processes that outlive the command's first one may take to end by themselves. */
const settleMs = 500;
/** How long the pipes of ended processes may take to close. */
const cutOffMs = 1000;

type Child = ChildProcessByStdio<null, Readable, Readable>;
type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** Starts commands in a process group of their own, without a shell, and leaves nothing of them behind. */
export function createCommandRunner(options: CommandRunnerOptions): CommandRunner {
  const { setpriv, redact, clock, graceMs = 5000, maxBytes = 65_536 } = options;
  const templates = new Map(options.templates.map((template) => [template.name, template]));

  return {
    template: (name) => templates.get(name),
    placeBelow,

    async run(command) {
      const refusal = command.signal.aborted ? "the run was stopped before" : await whyNotStartable(command);
      if (refusal !== undefined) return { kind: "not_started", reason: refusal };
      // An earlier attempt whose worker was killed may have left some that it had started.
      await killAll({ group: undefined, cookie: command.cookie }, clock);

      const git = await inertGitEnvironment(command);
      if (!git.ok) return { kind: "not_started", reason: git.reason };
      const child = startChild({ ...command, env: git.env }, setpriv);
      const exit = new Promise<Exit>((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
      const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
      const started = await new Promise<string | undefined>((resolve) => {
        child.once("spawn", () => resolve(undefined));
        child.once("error", (error) => resolve(codeOf(error)));
      });
      const { pid } = child;
      if (started !== undefined || pid === undefined) return { kind: "not_started", reason: started ?? "there is no process" };
      child.on("error", () => undefined);
      const stdout = captureStream(child.stdout, maxBytes, redact);
      const stderr = captureStream(child.stderr, maxBytes, redact);

      const mark = { group: pid, cookie: command.cookie };
      const cut = await untilCut(command.signal, exit);
      if (cut !== undefined) await stop(mark, graceMs);
      const ended = await exit;
      const hasOrphans = !(await isGone(mark, cut === undefined ? settleMs : 0, clock));
      if (hasOrphans) await killAll(mark, clock);
      // With every holder of the pipes gone they close by themselves; a holder that hides from us is cut off.
      await within(clock, cutOffMs, closed).catch(() => undefined);
      child.stdout.destroy();
      child.stderr.destroy();
      return outcomeOf({ ...ended, cut, hasOrphans }, { stdout: stdout(), stderr: stderr() });
    },
  };

  async function stop(mark: { readonly group: number; readonly cookie: string }, waitMs: number): Promise<void> {
    // The whole group at once, then the processes that have left it.
    signalAll([-mark.group, ...(await processesOf(mark))], "SIGTERM");
    if (!(await isGone(mark, waitMs, clock))) await killAll(mark, clock);
  }
}

function startChild({ argv, env, cwd, cookie }: CommandStart, setpriv: string | undefined): Child {
  const [file = "", ...args] = setpriv === undefined ? argv : [setpriv, "--pdeathsig", "KILL", "--", ...argv];
  // `detached` makes it the leader of a group of its own, so that one signal reaches all of them.
  return spawn(file, args, {
    cwd,
    env: { ...env, [cookieVariable]: cookie },
    detached: true,
    shell: false,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Why the command was cut short, or undefined when it ended without being killed. */
async function untilCut(signal: AbortSignal, exit: Promise<Exit>): Promise<"timeout" | "stopped" | undefined> {
  const over = new AbortController();
  const aborted = new Promise<"timeout" | "stopped">((resolve) => {
    const onAbort = () => resolve(errorField(signal.reason, "name") === "TimeoutError" ? "timeout" : "stopped");
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([exit.then(() => undefined), aborted]);
  } finally {
    over.abort();
  }
}

/** How the command's first process ended, why we ended it, and whether others outlived it. */
type Ending = Exit & { readonly cut: "timeout" | "stopped" | undefined; readonly hasOrphans: boolean };

function outcomeOf(
  { code, signal, cut, hasOrphans }: Ending,
  streams: Pick<Extract<CommandOutcome, { kind: "exited" }>, "stdout" | "stderr">,
): CommandOutcome {
  if (cut !== undefined || code === null) return { kind: "killed", why: cut ?? "signal", signal: signal ?? "SIGTERM", ...streams };
  return { kind: "exited", code, hasOrphans, ...streams };
}

async function whyNotStartable({ argv: [executable = ""], cwd }: CommandStart): Promise<string | undefined> {
  // setpriv would start and then fail: whether the program is there must be known before.
  try {
    await access(executable, constants.X_OK);
    if (!(await stat(executable)).isFile()) return `${executable} is no program`;
  } catch (error) {
    return `${executable} cannot be executed (${codeOf(error)})`;
  }
  const isFolder = await stat(cwd).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return isFolder ? undefined : `${cwd} is no folder`;
}

async function placeBelow(root: string, path: string): Promise<string | undefined> {
  try {
    const [base, place] = await Promise.all([realpath(root), realpath(join(root, path))]);
    return place.startsWith(base.endsWith(sep) ? base : `${base}${sep}`) ? place : undefined;
  } catch {
    return undefined;
  }
}

type Mark = Parameters<typeof processesOf>[0];

async function killAll(mark: Mark, clock: Clock): Promise<void> {
  // Again and again: one that forks faster than it is killed is still found.
  for (let round = 0; round < 50; round += 1) {
    const pids = await processesOf(mark);
    if (pids.length === 0) return;
    signalAll([...(mark.group === undefined ? [] : [-mark.group]), ...pids], "SIGKILL");
    await clock.sleep(20);
  }
}

async function isGone(mark: Mark, withinMs: number, clock: Clock): Promise<boolean> {
  const until = clock.monotonic() + withinMs;
  for (;;) {
    if ((await processesOf(mark)).length === 0) return true;
    if (clock.monotonic() >= until) return false;
    await clock.sleep(25);
  }
}

function codeOf(error: unknown): string {
  const code = errorField(error, "code");
  return typeof code === "string" ? code : "unknown";
}
