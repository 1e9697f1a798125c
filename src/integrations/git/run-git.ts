import { spawn } from "node:child_process";
import type { Clock } from "../../core/clock.ts";
import { type GitSetting, gitConfigVariables, inertByName } from "../../core/inert-git.ts";

/** One call of git. */
export interface GitCall {
  readonly cwd: string;
  readonly args: readonly string[];
  readonly input?: string | Buffer;
  /** Settings of this call, above all others. */
  readonly config?: readonly GitSetting[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Exit codes that are an answer; 0 alone unless said. */
  readonly ok?: readonly number[];
  /** Bytes of the output that are enough: git is ended there, and what it wrote until then is the answer. Unless said, too much output is a failure. */
  readonly enoughBytes?: number;
}

/** What git wrote, with its exit code. */
export interface GitAnswer {
  readonly code: number;
  readonly text: string;
  readonly bytes: Buffer;
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
  /** Settings of every call. */
  readonly standing?: () => Promise<readonly GitSetting[]>;
}

const maxBytes = 64 * 1024 * 1024;

/** Author and committer are ours, and no ignore or attributes file outside the repository counts. */
const settings: readonly GitSetting[] = [
  ...inertByName,
  ["core.autocrlf", "false"],
  ["core.untrackedCache", "false"],
  ["core.attributesFile", "/dev/null"],
  ["core.excludesFile", "/dev/null"],
  ["index.sparse", "false"],
  ["push.recurseSubmodules", "no"],
  ["fetch.recurseSubmodules", "false"],
  ["commit.gpgSign", "false"],
  ["push.gpgSign", "false"],
  ["merge.default", "text"],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["advice.addEmbeddedRepo", "false"],
  ["user.name", "runbookd"],
  ["user.email", "runbookd@localhost.invalid"],
];

/** Settings for git in the environment's form, which stand above every file. */
export function gitEnvironment(more: readonly GitSetting[], protocols: readonly string[]): Record<string, string> {
  const all = [...settings, ...more];
  return {
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_SSH_COMMAND: "ssh",
    GIT_ASKPASS: "",
    SSH_ASKPASS: "",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: protocols.join(":"),
    GIT_OPTIONAL_LOCKS: "0",
    GIT_EDITOR: "false",
    LC_ALL: "C",
    ...gitConfigVariables(all),
  };
}

/** Runs git by argv, without a shell, with an environment of its own. */
export function createRunGit({ git, environment, protocols, timeoutMs, clock, standing = async () => [] }: RunGitOptions): RunGit {
  return async ({ cwd, args, input, config = [], env = {}, ok = [0], enoughBytes }) => {
    const plain = gitEnvironment([...(await standing()), ...config], protocols);
    return new Promise((resolve, reject) => {
      const child = spawn(git, args, { cwd, env: { ...environment, ...plain, ...env }, shell: false, stdio: ["pipe", "pipe", "pipe"] });
      const fail = (what: string) => reject(new Error(`git ${args[0] ?? ""} in ${cwd} ${what}`));
      const timer = clock.after(timeoutMs, () => child.kill("SIGKILL"));
      const out: Buffer[] = [];
      let bytes = 0;
      let isEnough = false;
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        isEnough = enoughBytes !== undefined && bytes >= enoughBytes;
        if (bytes <= maxBytes) out.push(chunk);
        if (isEnough || bytes > maxBytes) child.kill("SIGKILL");
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
        const answer = (status: number) => {
          const all = Buffer.concat(out);
          resolve({ code: status, text: all.toString(), bytes: all });
        };
        if (isEnough) return answer(0);
        if (code === null) return fail("was killed: it took too long or wrote too much");
        if (ok.includes(code)) return answer(code);
        fail(`ended with status ${code}: ${said.trim().split("\n").slice(-3).join(" ").slice(0, 500)}`);
      });
    });
  };
}
