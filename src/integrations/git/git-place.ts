import { dirname } from "node:path";
import { maskSecrets } from "../../../packages/sdk/src/wire/mask-secrets.ts";
import { StepFailure } from "../../core/failure.ts";
import type { GitSetting } from "../../core/inert-git.ts";
import { shortLine } from "../../core/one-line.ts";
import type { GitAnswer, GitCall, RunGit } from "./run-git.ts";
import { readInertSettings } from "./snapshot.ts";

/** Where a repository is kept on this machine: bare, or a clone whose remote `origin` is what counts. */
export interface GitRepositoryPlace {
  readonly path: string;
  /** Name of the branch that changes go into. */
  readonly main: string;
}

/** How a ref was moved. `stale`: it is not where it was expected to be any more. `refused`: its keeper does not permit it. */
export type RefMove = { readonly kind: "moved" } | { readonly kind: "stale" } | { readonly kind: "refused"; readonly reason: string };

/** A ref that is created (`from` absent) or moved, while `unless` is still where it was. */
export interface RefChange {
  /** Full name, as where the repository is kept. */
  readonly ref: string;
  readonly from?: string;
  readonly to: string;
  /** Another ref that must not have moved; where a remote is asked, it is compared shortly before. */
  readonly held?: { readonly ref: string; readonly at: string };
}

/** One repository in which git is run without any program that its configuration names. */
export interface GitPlace {
  /** Rejects with StepFailure, `applied` as said: no unless the call writes to a remote. */
  run(args: readonly string[], more?: Pick<GitCall, "input" | "ok" | "enoughBytes">): Promise<GitAnswer>;
  /** Where branches are below, after {@link refresh}. */
  readonly heads: string;
  /** Reads the branches of the remote anew, where there is one. */
  refresh(): Promise<void>;
  /** The commit at a ref of where the repository is kept; undefined: there is no such ref. */
  at(ref: string): Promise<string | undefined>;
  move(change: RefChange): Promise<RefMove>;
}

/** Branches of a remote as they were read last. */
const remoteHeads = "refs/runbookd/heads/";
const uploadPack = "--upload-pack=git-upload-pack";
const receivePack = "--receive-pack=git-receive-pack";
const remote = "origin";

/** Opens a repository. Rejects with StepFailure when it is none, or when its configuration names what cannot be made harmless. */
export async function openGitPlace(plainRun: RunGit, { path }: Pick<GitRepositoryPlace, "path">, signal: AbortSignal): Promise<GitPlace> {
  // A folder that is no repository must not be taken for a part of one around it.
  const env = { GIT_CEILING_DIRECTORIES: dirname(path), GIT_NO_REPLACE_OBJECTS: "1" };
  let config: readonly GitSetting[] = [];
  const call = async (applied: "no" | "unknown", args: readonly string[], more: Pick<GitCall, "input" | "ok" | "enoughBytes"> = {}) => {
    signal.throwIfAborted();
    try {
      return await plainRun({ cwd: path, args, env, config, ...more });
    } catch (error) {
      throw failureOf(error, applied);
    }
  };
  const run: GitPlace["run"] = async (args, more) => call("no", args, more);
  const isBare = (await run(["rev-parse", "--is-bare-repository"])).text.trim() === "true";
  const hasRemote = !isBare && (await run(["config", "--get", `remote.${remote}.url`], { ok: [0, 1] })).code === 0;
  config = [...(await inertSettings(plainRun, path)), ["merge.renormalize", "false"]];

  async function checkedOut(ref: string): Promise<boolean> {
    const { text } = await run(["worktree", "list", "--porcelain", "-z"]);
    return text.split("\0").includes(`branch ${ref}`);
  }

  async function moveHere({ ref, from, to, held }: RefChange): Promise<RefMove> {
    if (!isBare && (await checkedOut(ref)))
      return { kind: "refused", reason: `${ref} is checked out in a folder of ${path}; name the bare repository in git_repositories` };
    const lines = [
      ...(held === undefined ? [] : [`verify ${held.ref} ${held.at}`]),
      from === undefined ? `create ${ref} ${to}` : `update ${ref} ${to} ${from}`,
    ];
    const { code } = await call("unknown", ["update-ref", "--stdin"], { input: `${lines.join("\n")}\n`, ok: [0, 128] });
    if (code === 0 || (await at(ref)) === to) return { kind: "moved" };
    return { kind: "stale" };
  }

  async function moveThere({ ref, from = "", to, held }: RefChange): Promise<RefMove> {
    if (held !== undefined && (await at(held.ref)) !== held.at) return { kind: "stale" };
    const push = ["push", "--porcelain", receivePack, `--force-with-lease=${ref}:${from}`, remote, `${to}:${ref}`];
    const { code, text } = await call("unknown", push, { ok: [0, 1] });
    if (code === 0 || (await at(ref)) === to) return { kind: "moved" };
    if (!text.includes("[remote rejected]")) return { kind: "stale" };
    return { kind: "refused", reason: `the remote does not take it: ${shortLine(maskSecrets(text), 200)}` };
  }

  async function at(ref: string): Promise<string | undefined> {
    const args = hasRemote ? ["ls-remote", uploadPack, remote, ref] : ["show-ref", "--verify", ref];
    const { text } = await run(args, { ok: hasRemote ? [0] : [0, 1, 128] });
    for (const line of text.split("\n")) {
      const [sha = "", name] = line.split(/\s/);
      if (name === ref) return sha;
    }
    return undefined;
  }

  return {
    run,
    heads: hasRemote ? remoteHeads : "refs/heads/",
    async refresh() {
      if (!hasRemote) return;
      const refspec = `+refs/heads/*:${remoteHeads}*`;
      await run(["fetch", "--quiet", "--no-tags", "--prune", "--no-write-fetch-head", uploadPack, remote, refspec]);
    },
    at,
    move: async (change) => (hasRemote ? moveThere(change) : moveHere(change)),
  };
}

async function inertSettings(run: RunGit, path: string): Promise<readonly GitSetting[]> {
  try {
    return await readInertSettings(run, path);
  } catch (error) {
    throw failureOf(error, "no");
  }
}

/** What git says may hold a remote's address with a password. */
function failureOf(error: unknown, applied: "no" | "unknown"): StepFailure {
  const said = error instanceof Error ? error.message : String(error);
  const message = shortLine(maskSecrets(said), 400);
  return new StepFailure({ reason: applied === "no" ? "not_reachable" : "unknown_outcome", message, applied }, { cause: error });
}
