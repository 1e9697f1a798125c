import { realpath, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { maskSecrets } from "../../../packages/sdk/src/wire/mask-secrets.ts";
import { type Clock, createSystemClock } from "../../core/clock.ts";
import type { GitSetting } from "../../core/inert-git.ts";
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
import { refuseFilteredContent } from "./filtered-content.ts";
import { readChanges } from "./read-changes.ts";
import { createRunGit, gitEnvironment, type RunGit } from "./run-git.ts";
import { readSafeFolders } from "./safe-folders.ts";
import { indexOf, readInertSettings, takeSnapshot } from "./snapshot.ts";
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

/** Said with every call, because a remote's configuration may name another program. */
const receivePack = "--receive-pack=git-receive-pack";

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
  const plainRun = createRunGit({ git, environment, protocols, timeoutMs, clock });
  let safeFolders: Promise<readonly GitSetting[]> | undefined;
  const run = createRunGit({
    git,
    environment,
    protocols,
    timeoutMs,
    clock,
    standing: async () => (safeFolders ??= readSafeFolders(plainRun)),
  });
  const text = async (cwd: string, args: readonly string[], { input = "" }: { readonly input?: string } = {}) =>
    (await run({ cwd, args, input })).text.trim();

  const hasRemote = async () => (await run({ cwd: repository, args: ["config", "--get", `remote.${remote}.url`], ok: [0, 1] })).code === 0;

  let firstAddress: string | undefined;
  /** Rejects when the remote's address is another one than at the first use: work is sent to where the operator said, not to where a ticket's tools say. */
  async function remoteSettings(): Promise<readonly GitSetting[]> {
    const { text: address } = await run({
      cwd: repository,
      args: ["config", "--get-regexp", "^(remote|url)\\..*url|insteadof$"],
      ok: [0, 1],
    });
    firstAddress ??= address;
    if (address !== firstAddress)
      throw new Error(
        `The address of a remote of ${repository} has changed since this process began; nothing was sent. Restart it if that is right.`,
      );
    return readInertSettings(run, repository);
  }

  async function find(ticketId: string): Promise<Workspace | undefined> {
    const all = parseWorktrees(await text(repository, ["worktree", "list", "--porcelain", "-z"]));
    const [branch, name] = [`refs/heads/${ticketBranch(ticketId)}`, ticketRefName(ticketId)];
    const present = all.filter((one) => !one.prunable);
    const matches = await Promise.all(
      present.map(
        async (one) => one.branch === branch || (one.detached && basename(one.folder) === name) || (await isFolderOf(one.folder, ticketId)),
      ),
    );
    const worktree = present.find((_one, index) => matches[index]);
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

  /** Whether a folder is the one that this ticket was given, whatever branch is checked out there. */
  async function isFolderOf(folder: string, ticketId: string): Promise<boolean> {
    if (basename(folder) !== ticketRefName(ticketId)) return false;
    const [parent, expected] = await Promise.all([dirname(folder), worktrees].map(async (path) => realpath(path).catch(() => path)));
    return parent === expected;
  }

  /** Attributes may turn line ends and encodings while files are written: what then differs from what was saved is written once more, as it is. */
  async function giveBackBytes(folder: string, commit: string): Promise<void> {
    const { text: listed } = await run({ cwd: folder, args: ["diff-tree", "-r", "-z", "--no-renames", "HEAD", commit] });
    const fields = listed.split("\0");
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const [, mode = "", , id = ""] = (fields[at] ?? "").split(" ");
      const path = fields[at + 1] ?? "";
      if (!mode.startsWith("100")) continue;
      const lies = await text(folder, ["hash-object", "--no-filters", "--", path]);
      if (lies !== id) await writeFile(join(folder, path), (await run({ cwd: folder, args: ["cat-file", "blob", id] })).bytes);
    }
  }

  /** Removes a worktree when everything in it is in a checkpoint; saves it first when it can be. Rejects with what would be lost, and removes nothing. */
  async function removeSaved(ticketId: string, { folder }: Workspace): Promise<void> {
    const { tree, omitted } = await takeSnapshot(run, { folder, as: "bytes" });
    if (omitted.length > 0)
      throw new Error(
        `The worktree ${folder} is not removed: no checkpoint can keep ${omitted.join(", ")}. Commit it elsewhere or remove it, then resume.`,
      );
    const listed = await repo.list(ticketId);
    const whole = listed.flatMap((one) => (one.kind === "whole" ? [one.checkpoint] : []));
    const last = whole.at(-1);
    const isKept = whole.some((checkpoint) => checkpoint.tree === tree) || (await text(folder, ["rev-parse", "HEAD^{tree}"])) === tree;
    const said = last === undefined ? "" : await conversation(last);
    if (!isKept) await repo.save(ticketId, { stage: "partial", green: false, conversation: said });
    await run({ cwd: repository, args: ["worktree", "remove", "--force", "--force", folder] });
  }

  /** What the work of a checkpoint is based on. */
  async function baseOfCheckpoint(commit: string): Promise<string> {
    const { code, text: base } = await run({
      cwd: repository,
      args: ["rev-parse", "--verify", "--quiet", `${commit}^1^{commit}`],
      ok: [0, 1, 128],
    });
    if (code !== 0)
      throw new Error(
        `${repository} does not have the commit that checkpoint ${commit} is based on; fetch it, then resume. Nothing was done.`,
      );
    return base.trim();
  }

  const repo: CheckpointRepository = {
    find,
    async addresses() {
      const { code, text: address } = await run({ cwd: repository, args: ["remote", "get-url", remote], ok: [0, 2, 128] });
      return [...(code === 0 ? [address.trim()] : []), repository];
    },
    conversation,
    changes: async ({ commit }) => readChanges(run, { repository, commit, base }),
    async open(ticketId, fresh = false, givenBase?: string) {
      const existing = await find(ticketId);
      if (existing !== undefined && !fresh) return existing;
      if (existing !== undefined) await removeSaved(ticketId, existing);
      await run({ cwd: repository, args: ["worktree", "prune"] });
      const folder = join(worktrees, ticketRefName(ticketId));
      const config = await readInertSettings(run, repository);
      await run({ cwd: repository, args: ["worktree", "add", "--detach", folder, givenBase ?? existing?.base ?? base], config });
      await remoteSettings();
      const made = await find(ticketId);
      if (made === undefined) throw new Error(`git worktree add made no worktree at ${folder}`);
      return made;
    },
    async save(ticketId, given) {
      const workspace = await find(ticketId);
      if (workspace === undefined) return undefined;
      // What is said here is pushed with the work: from here on it is without secrets.
      const details = { ...given, conversation: maskSecrets(given.conversation) };
      const { tree, omitted } = await takeSnapshot(run, { folder: workspace.folder, as: "bytes" });
      const before = await refs(ticketId);
      const last = before.at(-1);
      const previous = last === undefined ? undefined : await inspect(last);
      if (previous?.kind === "whole" && isSame(previous.checkpoint, { ...details, tree, omitted })) return previous.checkpoint;
      const blob = await text(repository, ["hash-object", "-w", "--stdin"], { input: details.conversation });
      const conversationTree = await text(repository, ["mktree"], { input: `100644 blob ${blob}\t${conversationFile}\n` });
      const conversationCommit = await text(repository, [
        "commit-tree",
        conversationTree,
        "-m",
        `Conversation of ticket ${ticketRefName(ticketId)}`,
      ]);
      const n = (last?.n ?? 0) + 1;
      const message = describeCheckpoint(ticketRefName(ticketId), n, { ...details, omitted });
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
    async restore(ticketId, commit, givenBase) {
      const present = await find(ticketId);
      const { folder } = present ?? (await repo.open(ticketId, false, givenBase ?? (await baseOfCheckpoint(commit))));
      const config = await readInertSettings(run, folder);
      // The worker here is gone, or has lost the ticket: its half-done operation belongs to no process.
      const index = await indexOf(run, folder);
      await rm(`${index}.lock`, { force: true });
      if ((await run({ cwd: folder, args: ["ls-files", "--stage"], ok: [0, 128] })).code !== 0) {
        await rm(index, { force: true });
        await run({ cwd: folder, args: ["read-tree", "HEAD"], config });
      }
      // What is not known to the index would stay otherwise, and what it hides would be taken for unchanged.
      await takeSnapshot(run, { folder, as: "bytes", keepIndexAt: index });
      // A sparse checkout leaves out what a ticket may have written.
      const all: readonly GitSetting[] = [...config, ["core.sparseCheckout", "false"]];
      await run({ cwd: folder, args: ["read-tree", "-u", "--reset", `${commit}^{tree}`], config: all });
      await giveBackBytes(folder, commit);
      await run({ cwd: folder, args: ["reset", "-q", "HEAD"], config });
    },
    async push(ticketId) {
      if (!(await hasRemote())) return false;
      const all = `refs/checkpoints/${ticketRefName(ticketId)}/*`;
      await run({ cwd: repository, args: ["push", "--quiet", receivePack, remote, `${all}:${all}`], config: await remoteSettings() });
      return true;
    },
    async publish(ticketId, message) {
      const workspace = await find(ticketId);
      if (workspace === undefined) throw new Error(`The workspace of ticket ${ticketId} is gone; there is nothing to publish.`);
      const branch = `refs/heads/${ticketBranch(ticketId)}`;
      const { tree } = await takeSnapshot(run, { folder: workspace.folder, as: "commit" });
      await refuseFilteredContent(run, { folder: workspace.folder, from: workspace.base, to: tree });
      const { code, text: present } = await run({ cwd: repository, args: ["rev-parse", "--verify", "--quiet", branch], ok: [0, 1] });
      const tip = present.trim();
      const isThere = code === 0 && (await text(repository, ["rev-parse", `${tip}^{tree}`])) === tree;
      const parent = code === 0 ? tip : workspace.base;
      const commit = isThere ? tip : await text(repository, ["commit-tree", tree, "-p", parent], { input: message });
      if (!isThere) await run({ cwd: repository, args: ["update-ref", "-m", "publish", branch, commit, tip] });
      if (await hasRemote())
        await run({
          cwd: repository,
          args: ["push", "--quiet", receivePack, remote, `${commit}:${branch}`],
          config: await remoteSettings(),
        });
      return commit;
    },
    withdraw: async (ticketId, commit) =>
      withdrawPublication(
        { ticketId, commit },
        { run: withSettings(run, await remoteSettings()), repository, remote: (await hasRemote()) ? remote : undefined, base },
      ),
  };
  return repo;
}

function withSettings(run: RunGit, settings: readonly GitSetting[]): RunGit {
  return async (call) => run({ ...call, config: [...settings, ...(call.config ?? [])] });
}

interface SavedWork extends CheckpointMetadata {
  readonly omitted: readonly string[];
}

function isSame(checkpoint: Checkpoint, { tree, stage, green, conversation, omitted }: SavedWork & { readonly tree: string }): boolean {
  return (
    checkpoint.tree === tree &&
    checkpoint.stage === stage &&
    checkpoint.green === green &&
    checkpoint.conversationSha256 === sha256(conversation) &&
    JSON.stringify(checkpoint.omitted ?? []) === JSON.stringify(omitted)
  );
}

function describeCheckpoint(ticket: string, n: number, { stage, green, conversation, omitted }: SavedWork): string {
  const trailers = [`Runbookd-Stage: ${stage}`, `Runbookd-Green: ${green}`, `Runbookd-Conversation-Sha256: ${sha256(conversation)}`];
  const kept = omitted.length === 0 ? [] : [`Runbookd-Omitted: ${JSON.stringify(omitted)}`];
  return `Checkpoint ${n} of ticket ${ticket}\n\n${[...trailers, ...kept].join("\n")}\n`;
}

function parseCheckpoint(numbered: NumberedCommit, raw: string): Checkpoint | undefined {
  const field = (pattern: RegExp) => pattern.exec(raw)?.[1];
  const tree = field(/^tree ([0-9a-f]+)$/m);
  const stage = field(/^Runbookd-Stage: (.+)$/m);
  const green = field(/^Runbookd-Green: (true|false)$/m);
  const conversationSha256 = field(/^Runbookd-Conversation-Sha256: ([0-9a-f]{64})$/m);
  if (tree === undefined || stage === undefined || green === undefined || conversationSha256 === undefined) return undefined;
  const omitted = field(/^Runbookd-Omitted: (\[.*\])$/m);
  const checkpoint = { ...numbered, tree, stage, green: green === "true", conversationSha256 };
  return omitted === undefined ? checkpoint : { ...checkpoint, omitted: z.array(z.string()).parse(JSON.parse(omitted)) };
}
