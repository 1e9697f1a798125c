import { spawn } from "node:child_process";
import type { Clock } from "../../core/clock.ts";

/** One call of git. */
export interface GitCall {
  readonly cwd: string;
  readonly args: readonly string[];
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are an answer; 0 alone unless said. */
  readonly ok?: readonly number[];
}

/** What git wrote, with its exit code. */
export interface GitAnswer {
  readonly code: number;
  readonly text: string;
}

/** Runs git. Rejects with an Error that says which command failed and its last line. */
export type RunGit = (call: GitCall) => Promise<GitAnswer>;

/** How git is run. */
export interface RunGitOptions {
  /** Absolute path of git. */
  readonly git: string;
  /** What else it sees: PATH, and HOME where a remote needs keys. */
  readonly environment: Readonly<Record<string, string>>;
  /** Protocols that may be spoken with a remote; `file` is for repositories on this machine. */
  readonly protocols: readonly string[];
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "after">;
}

const maxBytes = 64 * 1024 * 1024;

/**
 * A repository must not choose what git runs: no hook, no monitor, no helper that asks a terminal, no protocol that is a command, no signing program, no
 * editor. Author and committer are ours.
 */
const settings: readonly (readonly [string, string])[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.autocrlf", "false"],
  ["core.untrackedCache", "false"],
  ["submodule.recurse", "false"],
  ["commit.gpgSign", "false"],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["advice.addEmbeddedRepo", "false"],
  ["user.name", "runbookd"],
  ["user.email", "runbookd@localhost.invalid"],
];

/** Settings for git in the environment's form, which stand above every file. */
export function gitEnvironment(more: readonly (readonly [string, string])[], protocols: readonly string[]): Record<string, string> {
  const all = [...settings, ...more];
  return {
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: protocols.join(":"),
    GIT_OPTIONAL_LOCKS: "0",
    GIT_EDITOR: "false",
    LC_ALL: "C",
    GIT_CONFIG_COUNT: String(all.length),
    ...Object.fromEntries(
      all.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

/** Runs git by argv, without a shell, with an environment of its own. */
export function createRunGit({ git, environment, protocols, timeoutMs, clock }: RunGitOptions): RunGit {
  const plain = gitEnvironment([], protocols);
  return async ({ cwd, args, input, env = {}, ok = [0] }) =>
    new Promise((resolve, reject) => {
      const child = spawn(git, args, { cwd, env: { ...environment, ...plain, ...env }, shell: false, stdio: ["pipe", "pipe", "pipe"] });
      const fail = (what: string) => reject(new Error(`git ${args[0] ?? ""} in ${cwd} ${what}`));
      const timer = clock.after(timeoutMs, () => child.kill("SIGKILL"));
      const out: Buffer[] = [];
      let bytes = 0;
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= maxBytes) out.push(chunk);
        else child.kill("SIGKILL");
      });
      child.stderr.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4000)));
      child.stdin.on("error", () => undefined);
      child.stdin.end(input ?? "");
      child.on("error", (error) => {
        timer.stop();
        fail(`could not be started: ${error.message}`);
      });
      child.on("close", (code) => {
        timer.stop();
        if (code === null) return fail("was killed: it took too long or wrote too much");
        if (ok.includes(code)) return resolve({ code, text: Buffer.concat(out).toString() });
        fail(`ended with status ${code}: ${said.trim().split("\n").slice(-3).join(" ").slice(0, 500)}`);
      });
    });
}
