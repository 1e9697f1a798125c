import { copyFile, mkdtemp, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, isAbsolute, join } from "node:path";
import { type Clock, createSystemClock } from "../../core/clock.ts";
import { sha256 } from "../../core/json.ts";
import {
  type Checkpoint,
  type CheckpointMetadata,
  type CheckpointRepository,
  checkpointRef,
  type ListedCheckpoint,
  ticketBranch,
  ticketRefName,
  type Workspace,
} from "../../llm/tickets/checkpoint.ts";
import { createRunGit, type GitCall, gitEnvironment } from "./run-git.ts";
import { firstBrokenObject } from "./verify-objects.ts";
import { withdrawPublication } from "./withdraw-publication.ts";
import { parseWorktrees } from "./worktrees.ts";

/** Where tickets' work is, and how git is run there. */
export interface GitCheckpointsOptions {
  /** Absolute path of git. */
  readonly git: string;
  /** What it sees of our environment: PATH, and HOME where a remote needs keys. */
  readonly environment: Readonly<Record<string, string>>;
  /** The repository whose worktrees tickets work in. */
  readonly repository: string;
  /** Folder that new worktrees are made in. */
  readonly worktrees: string;
  /** What new work is based on; the repository's HEAD unless said. */
  readonly base?: string;
  /** Name of the remote that checkpoints and branches are sent to, when it exists; `origin` unless said. */
  readonly remote?: string;
  /** Protocols that may be spoken with it; https and ssh unless said. */
  readonly protocols?: readonly string[];
  /** Of one call of git; 10 minutes unless said. */
  readonly timeoutMs?: number;
  /** The machine's own unless given. */
  readonly clock?: Clock;
}

/** A commit that a ref of a ticket's checkpoints points at. */
type NumberedCommit = Pick<Checkpoint, "n" | "ref" | "commit">;

/** The name of the file that a conversation is kept in. */
const conversationFile = "conversation";

/**
 * Checkpoints as commits under `refs/checkpoints/<ticket>/<n>`, made with an index of their own, so that nobody who works in the folder notices. A
 * checkpoint's first parent is what the work is based on, its second one holds the conversation.
 */
export function createGitCheckpoints(options: GitCheckpointsOptions): CheckpointRepository {
  const {
    git,
    environment,
    repository,
    worktrees,
    base = "HEAD",
    remote = "origin",
    protocols = ["https", "ssh"],
    timeoutMs = 600_000,
    clock = createSystemClock(),
  } = options;
  const run = createRunGit({ git, environment, protocols, timeoutMs, clock });
  const text = async (cwd: string, args: readonly string[], more: Pick<GitCall, "env" | "input"> = {}) =>
    (await run({ cwd, args, ...more })).text.trim();

  /** The repository's filters are programs of its configuration: what is kept is what lies in the folder. */
  const withoutFilters = async (cwd: string): Promise<Record<string, string>> => {
    const { text: names } = await run({ cwd, args: ["config", "--name-only", "--get-regexp", "^filter\\."], ok: [0, 1] });
    const off = names.split("\n").flatMap((name): (readonly [string, string])[] => {
      if (name.endsWith(".required")) return [[name, "false"]];
      return name === "" ? [] : [[name, ""]];
    });
    return gitEnvironment(off, protocols);
  };

  const hasRemote = async () => (await run({ cwd: repository, args: ["config", "--get", `remote.${remote}.url`], ok: [0, 1] })).code === 0;

  async function find(ticketId: string): Promise<Workspace | undefined> {
    const all = parseWorktrees(await text(repository, ["worktree", "list", "--porcelain", "-z"]));
    const [branch, name] = [`refs/heads/${ticketBranch(ticketId)}`, ticketRefName(ticketId)];
    const worktree = all.find((one) => !one.prunable && (one.branch === branch || (one.detached && basename(one.folder) === name)));
    if (worktree === undefined) return undefined;
    // From the index alone: to compare contents would run the repository's filters. An index that cannot be read tells of no conflict.
    const unmerged = (await run({ cwd: worktree.folder, args: ["ls-files", "--unmerged", "-z"], ok: [0, 128] })).text;
    const conflicts = unmerged.split("\0").flatMap((line) => (line === "" ? [] : [line.slice(line.indexOf("\t") + 1)]));
    return { folder: worktree.folder, base: worktree.head, conflicts: [...new Set(conflicts)] };
  }

  async function refs(ticketId: string): Promise<readonly NumberedCommit[]> {
    const prefix = `refs/checkpoints/${ticketRefName(ticketId)}/`;
    const listed = await text(repository, ["for-each-ref", "--format=%(refname) %(objectname)", prefix]);
    const checkpointRefs = listed.split("\n").flatMap((line) => {
      const [ref = "", commit = ""] = line.split(" ");
      const n = Number(ref.slice(prefix.length));
      return Number.isSafeInteger(n) && n > 0 ? [{ n, ref, commit }] : [];
    });
    return checkpointRefs.toSorted((a, b) => a.n - b.n);
  }

  async function inspect(numbered: NumberedCommit): Promise<ListedCheckpoint> {
    const { n, ref, commit } = numbered;
    const broken = (reason: string): ListedCheckpoint => ({ kind: "broken", n, ref, reason });
    try {
      await run({ cwd: repository, args: ["cat-file", "-e", `${commit}^{commit}`] });
      // What the base brings along belongs to the repository and is not read again.
      const listed = await text(repository, ["rev-list", "--objects", "--no-object-names", commit, "--not", `${commit}^1`]);
      const ids = listed.split("\n").filter((id) => id !== "");
      const bad = await firstBrokenObject({ git, cwd: repository, env: { ...environment, ...gitEnvironment([], protocols) }, ids });
      if (bad !== undefined) return broken(`object ${bad} is not what its hash says, or is missing`);
      const checkpoint = parseCheckpoint(numbered, await text(repository, ["cat-file", "commit", commit]));
      if (checkpoint === undefined) return broken("it was not written by runbookd");
      const said = sha256(await conversation(checkpoint));
      return said === checkpoint.conversationSha256
        ? { kind: "whole", checkpoint }
        : broken("the conversation is not the one that was saved");
    } catch (error) {
      return broken(error instanceof Error ? error.message : String(error));
    }
  }

  async function conversation({ commit }: Checkpoint): Promise<string> {
    return (await run({ cwd: repository, args: ["cat-file", "blob", `${commit}^2:${conversationFile}`] })).text;
  }

  async function indexOf(folder: string): Promise<string> {
    const path = await text(folder, ["rev-parse", "--git-path", "index"]);
    return isAbsolute(path) ? path : join(folder, path);
  }

  /** The tree of everything in the folder that is not ignored. */
  async function snapshot(folder: string): Promise<string> {
    const scratch = await mkdtemp(join(tmpdir(), "runbookd-index-"));
    try {
      const index = join(scratch, "index");
      const env = { ...(await withoutFilters(folder)), GIT_INDEX_FILE: index };
      // Whoever died may have left no index, or half of one.
      const copied =
        (await copyIndex(await indexOf(folder), index)) &&
        (await run({ cwd: folder, args: ["ls-files", "--stage"], env, ok: [0, 128] })).code === 0;
      if (!copied) {
        await rm(index, { force: true });
        await run({ cwd: folder, args: ["read-tree", "HEAD"], env });
      }
      await run({ cwd: folder, args: ["add", "-A"], env });
      return await text(folder, ["write-tree"], { env });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  const repo: CheckpointRepository = {
    find,
    conversation,
    async open(ticketId, fresh = false) {
      const existing = await find(ticketId);
      if (existing !== undefined && !fresh) return existing;
      if (existing !== undefined) await run({ cwd: repository, args: ["worktree", "remove", "--force", "--force", existing.folder] });
      await run({ cwd: repository, args: ["worktree", "prune"] });
      const folder = join(worktrees, ticketRefName(ticketId));
      await run({ cwd: repository, args: ["worktree", "add", "--detach", folder, existing?.base ?? base] });
      const made = await find(ticketId);
      if (made === undefined) throw new Error(`git worktree add made no worktree at ${folder}`);
      return made;
    },
    async save(ticketId, details) {
      const workspace = await find(ticketId);
      if (workspace === undefined) return undefined;
      const tree = await snapshot(workspace.folder);
      const before = await refs(ticketId);
      const last = before.at(-1);
      const previous = last === undefined ? undefined : await inspect(last);
      if (previous?.kind === "whole" && isSame(previous.checkpoint, tree, details)) return previous.checkpoint;
      const blob = await text(repository, ["hash-object", "-w", "--stdin"], { input: details.conversation });
      const conversationTree = await text(repository, ["mktree"], { input: `100644 blob ${blob}\t${conversationFile}\n` });
      const conversationCommit = await text(repository, [
        "commit-tree",
        conversationTree,
        "-m",
        `Conversation of ticket ${ticketRefName(ticketId)}`,
      ]);
      const n = (last?.n ?? 0) + 1;
      const message = describeCheckpoint(ticketRefName(ticketId), n, details);
      const commit = await text(repository, ["commit-tree", tree, "-p", workspace.base, "-p", conversationCommit], { input: message });
      // The empty old value lets it be created once and never be overwritten.
      await run({ cwd: repository, args: ["update-ref", "-m", "checkpoint", checkpointRef(ticketId, n), commit, ""] });
      const saved = await inspect({ n, ref: checkpointRef(ticketId, n), commit });
      if (saved.kind === "broken") throw new Error(`checkpoint ${saved.ref} cannot be read back: ${saved.reason}`);
      return saved.checkpoint;
    },
    async list(ticketId) {
      const checkpoints: ListedCheckpoint[] = [];
      for (const one of await refs(ticketId)) checkpoints.push(await inspect(one));
      return checkpoints;
    },
    async restore(ticketId, commit) {
      const { folder } = await repo.open(ticketId);
      const env = await withoutFilters(folder);
      // Whoever worked here is gone, or has lost the ticket: what it left in the middle of is nobody's.
      const index = await indexOf(folder);
      await rm(`${index}.lock`, { force: true });
      if ((await run({ cwd: folder, args: ["ls-files", "--stage"], ok: [0, 128] })).code !== 0) {
        await rm(index, { force: true });
        await run({ cwd: folder, args: ["read-tree", "HEAD"], env });
      }
      // What is not known to the index would stay otherwise.
      await run({ cwd: folder, args: ["add", "-A"], env });
      await run({ cwd: folder, args: ["read-tree", "-u", "--reset", `${commit}^{tree}`], env });
      await run({ cwd: folder, args: ["reset", "-q", "HEAD"], env });
    },
    async push(ticketId) {
      if (!(await hasRemote())) return false;
      const all = `refs/checkpoints/${ticketRefName(ticketId)}/*`;
      await run({ cwd: repository, args: ["push", "--quiet", remote, `${all}:${all}`] });
      return true;
    },
    async publish(ticketId, message) {
      const workspace = await repo.open(ticketId);
      const branch = `refs/heads/${ticketBranch(ticketId)}`;
      const tree = await snapshot(workspace.folder);
      const { code, text: present } = await run({ cwd: repository, args: ["rev-parse", "--verify", "--quiet", branch], ok: [0, 1] });
      const tip = present.trim();
      const isThere = code === 0 && (await text(repository, ["rev-parse", `${tip}^{tree}`])) === tree;
      const parent = code === 0 ? tip : workspace.base;
      const commit = isThere ? tip : await text(repository, ["commit-tree", tree, "-p", parent], { input: message });
      if (!isThere) await run({ cwd: repository, args: ["update-ref", "-m", "publish", branch, commit, tip] });
      if (await hasRemote()) await run({ cwd: repository, args: ["push", "--quiet", remote, `${commit}:${branch}`] });
      return commit;
    },
    withdraw: async (ticketId, commit) =>
      withdrawPublication({ ticketId, commit }, { run, repository, remote: (await hasRemote()) ? remote : undefined, base }),
  };
  return repo;
}

/**
 * The copy keeps the time of the original: git takes a file for unchanged when size and second agree, unless it is as young as the index. A copy that
 * looks younger would lose a change of the same length made in the second of the checkout.
 */
async function copyIndex(from: string, to: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(from);
    await copyFile(from, to);
    const second = Math.floor(mtimeMs / 1000);
    await utimes(to, second, second);
    return true;
  } catch {
    return false;
  }
}

function isSame(checkpoint: Checkpoint, tree: string, { stage, green, conversation }: CheckpointMetadata): boolean {
  return (
    checkpoint.tree === tree &&
    checkpoint.stage === stage &&
    checkpoint.green === green &&
    checkpoint.conversationSha256 === sha256(conversation)
  );
}

function describeCheckpoint(ticket: string, n: number, { stage, green, conversation }: CheckpointMetadata): string {
  const trailers = [`Runbookd-Stage: ${stage}`, `Runbookd-Green: ${green}`, `Runbookd-Conversation-Sha256: ${sha256(conversation)}`];
  return `Checkpoint ${n} of ticket ${ticket}\n\n${trailers.join("\n")}\n`;
}

function parseCheckpoint(numbered: NumberedCommit, raw: string): Checkpoint | undefined {
  const field = (pattern: RegExp) => pattern.exec(raw)?.[1];
  const tree = field(/^tree ([0-9a-f]+)$/m);
  const stage = field(/^Runbookd-Stage: (.+)$/m);
  const green = field(/^Runbookd-Green: (true|false)$/m);
  const conversationSha256 = field(/^Runbookd-Conversation-Sha256: ([0-9a-f]{64})$/m);
  if (tree === undefined || stage === undefined || green === undefined || conversationSha256 === undefined) return undefined;
  return { ...numbered, tree, stage, green: green === "true", conversationSha256 };
}
