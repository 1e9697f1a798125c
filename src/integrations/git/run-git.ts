import { spawn } from "node:child_process";
import type { Clock } from "../../core/clock.ts";

/** Name and value of a setting. */
export type GitSetting = readonly [string, string];

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

/**
 * A repository must not choose what git runs: no hook, no monitor, no helper that asks for a password, no transport command, no signing program, no editor.
 * What a name in its configuration decides (filters, merge drivers) is in {@link inertSettings}. Author and committer are ours, and nobody's ignore or
 * attributes file outside the repository counts.
 */
const settings: readonly GitSetting[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.autocrlf", "false"],
  ["core.untrackedCache", "false"],
  ["core.attributesFile", "/dev/null"],
  ["core.excludesFile", "/dev/null"],
  ["core.sshCommand", "ssh"],
  ["core.askPass", ""],
  ["core.gitProxy", ""],
  ["core.pager", "cat"],
  ["core.editor", "false"],
  ["sequence.editor", "false"],
  ["core.alternateRefsCommand", ""],
  ["credential.helper", ""],
  ["gpg.program", "false"],
  ["gpg.ssh.program", "false"],
  ["gpg.x509.program", "false"],
  ["index.sparse", "false"],
  ["submodule.recurse", "false"],
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

/**
 * The settings that make programs harmless which a repository names under names of its own: filters hand content through as it is, merge drivers become
 * git's own merge of texts, commands that show differences are none. `names`: all names of the repository's configuration.
 */
export function inertSettings(names: readonly string[]): readonly GitSetting[] {
  return names.flatMap((name): GitSetting[] => {
    if (/^filter\..*\.required$/i.test(name)) return [[name, "false"]];
    if (/^filter\..*\.(?:clean|smudge|process)$/i.test(name)) return [[name, ""]];
    if (/^merge\..*\.driver$/i.test(name)) return [[name, "git merge-file --quiet %A %O %B"]];
    if (/^(?:credential\..*\.helper|remote\..*\.vcs|core\..*command|diff\..*\.(?:command|textconv))$/i.test(name)) return [[name, ""]];
    return [];
  });
}

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
export function createRunGit({ git, environment, protocols, timeoutMs, clock, standing = async () => [] }: RunGitOptions): RunGit {
  return async ({ cwd, args, input, config = [], env = {}, ok = [0] }) => {
    const plain = gitEnvironment([...(await standing()), ...config], protocols);
    return new Promise((resolve, reject) => {
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
        if (ok.includes(code)) {
          const all = Buffer.concat(out);
          return resolve({ code, text: all.toString(), bytes: all });
        }
        fail(`ended with status ${code}: ${said.trim().split("\n").slice(-3).join(" ").slice(0, 500)}`);
      });
    });
  };
}
