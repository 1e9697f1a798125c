import { copyFile, lstat, mkdtemp, readlink, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { type GitSetting, inertSettings, irreplaceableNames } from "../../core/inert-git.ts";
import type { GitCall, RunGit } from "./run-git.ts";

/** The work in a folder as a tree, and what of it the tree does not hold. */
export interface Snapshot {
  readonly tree: string;
  /** Paths with the reason in brackets, sorted. */
  readonly omitted: readonly string[];
}

/** Which folder, and how its files become objects. */
export interface SnapshotRequest {
  readonly folder: string;
  /** `bytes`: as they lie there, to be given back; `commit`: as git would commit them, after line ends and encodings of `.gitattributes`. */
  readonly as: "bytes" | "commit";
  /** Where the index is put with which the tree was made; it is removed otherwise. */
  readonly keepIndexAt?: string;
}

/** What would be added to an index or removed from it, in the form of `git update-index --index-info`. */
interface Entry {
  readonly mode: string;
  readonly id: string;
  readonly path: string;
}

interface Collected {
  readonly paths: readonly string[];
  readonly nested: readonly string[];
  readonly omitted: readonly string[];
}

/** The settings that keep a repository's own programs from running, read from its configuration, which runs nothing. */
export async function readInertSettings(run: RunGit, cwd: string): Promise<readonly GitSetting[]> {
  const { text } = await run({ cwd, args: ["config", "--null", "--name-only", "--list"], ok: [0, 1] });
  const names = [...new Set(text.split("\0").filter((name) => name !== ""))];
  const harmful = irreplaceableNames(names);
  if (harmful.length > 0)
    throw new Error(`The configuration of ${cwd} names what cannot be made harmless: ${harmful.join(", ")}. Remove it.`);
  return inertSettings(names, "pass");
}

/** Where the index of a worktree is. */
export async function indexOf(run: RunGit, folder: string): Promise<string> {
  const path = (await run({ cwd: folder, args: ["rev-parse", "--git-path", "index"] })).text.trim();
  return isAbsolute(path) ? path : join(folder, path);
}

/**
 * Writes everything in a worktree that is not ignored as a tree, with an index of its own. Files that index flags hide (`assume-unchanged`, `skip-worktree`)
 * are read too; files of repositories inside the worktree are written as files. What cannot be kept is named.
 */
export async function takeSnapshot(run: RunGit, { folder, as, keepIndexAt }: SnapshotRequest): Promise<Snapshot> {
  const scratch = await mkdtemp(join(tmpdir(), "runbookd-index-"));
  try {
    const config = await readInertSettings(run, folder);
    const env = { GIT_INDEX_FILE: join(scratch, "index") };
    const call = async (args: readonly string[], more: Partial<GitCall> = {}) => run({ cwd: folder, args, config, env, ...more });
    // A worker that died may have left no index, or half of one.
    const copied =
      (await copyIndex(await indexOf(run, folder), env.GIT_INDEX_FILE)) &&
      (await call(["ls-files", "--stage"], { ok: [0, 128] })).code === 0;
    if (!copied) {
      await rm(env.GIT_INDEX_FILE, { force: true });
      await call(["read-tree", "HEAD"]);
    }
    await showHidden(call, folder);
    const links = await submodulesOf(call);
    const others = split((await call(["ls-files", "--others", "--exclude-standard", "-z"])).text);
    const nested = [...others.filter((path) => path.endsWith("/")).map((path) => path.slice(0, -1)), ...links.unregistered];
    const omitted: string[] = [];
    const inside: string[] = [];
    for (const path of nested) {
      const item = await collect(run, folder, path);
      inside.push(...item.paths);
      omitted.push(...item.omitted);
    }
    for (const path of links.registered) omitted.push(...(await lostInSubmodule(run, folder, path)));
    const none = (await call(["rev-parse", "--show-object-format"])).text.trim() === "sha256" ? "0".repeat(64) : "0".repeat(40);
    const outside = links.unregistered.map((path): Entry => ({ mode: "0", id: none, path }));
    await writeEntries(call, outside);
    const excluded = nested.map((path) => `:(exclude,literal,top)${path}`);
    const changed = split((await call(["diff-files", "--name-only", "-z", "--ignore-submodules=all"])).text);
    const plain = others.filter((path) => !path.endsWith("/"));
    if (as === "commit") await call(["add", "--all", "--sparse", "--", ".", ...excluded]);
    const bytes = await entriesOf(call, {
      folder,
      none,
      paths: as === "commit" ? inside : [...new Set([...changed, ...plain, ...inside])],
    });
    await writeEntries(call, bytes.entries);
    // The pointers of submodules.
    if (as === "bytes" && links.registered.length > 0) {
      const present = [];
      for (const path of links.registered) if (await isThere(join(folder, path))) present.push(path);
      if (present.length > 0) await call(["add", "--sparse", "--", ...present.map((path) => `:(literal,top)${path}`)]);
    }
    const tree = (await call(["write-tree"])).text.trim();
    if (keepIndexAt !== undefined) await copyIndex(env.GIT_INDEX_FILE, keepIndexAt);
    return { tree, omitted: [...omitted, ...bytes.omitted].toSorted() };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

type Call = (args: readonly string[], more?: Partial<GitCall>) => ReturnType<RunGit>;

/** Files whose index entry says not to look at them; a file that a sparse checkout left out stays as its entry says. */
async function showHidden(call: Call, folder: string): Promise<void> {
  const tagged = split((await call(["ls-files", "-v", "-z"])).text).map((line) => ({ tag: line[0] ?? "", path: line.slice(2) }));
  const assumed = tagged.filter(({ tag }) => tag !== tag.toUpperCase()).map(({ path }) => path);
  const skipped: string[] = [];
  for (const { tag, path } of tagged) if (tag.toUpperCase() === "S" && (await isThere(join(folder, path)))) skipped.push(path);
  if (assumed.length > 0)
    await call(["update-index", "-z", "--no-assume-unchanged", "--stdin"], { input: assumed.map((path) => `${path}\0`).join("") });
  if (skipped.length > 0)
    await call(["update-index", "-z", "--no-skip-worktree", "--stdin"], { input: skipped.map((path) => `${path}\0`).join("") });
}

/** The index's pointers to other repositories: those that `.gitmodules` names, and those that were added as folders. */
async function submodulesOf(call: Call): Promise<{ readonly registered: readonly string[]; readonly unregistered: readonly string[] }> {
  const staged = split((await call(["ls-files", "--stage", "-z"])).text);
  const links = staged.filter((line) => line.startsWith("160000 ")).map((line) => line.slice(line.indexOf("\t") + 1));
  if (links.length === 0) return { registered: [], unregistered: [] };
  const { text } = await call(["config", "--null", "--file", ".gitmodules", "--get-regexp", "^submodule\\..*\\.path$"], {
    ok: [0, 1, 128],
  });
  const named = new Set(split(text).map((line) => line.slice(line.indexOf("\n") + 1)));
  return { registered: links.filter((path) => named.has(path)), unregistered: links.filter((path) => !named.has(path)) };
}

/** The files of a repository inside a worktree, with those of repositories inside it. Its history is not kept. */
async function collect(run: RunGit, folder: string, path: string): Promise<Collected> {
  const cwd = join(folder, path);
  if (!(await isThere(join(cwd, ".git")))) return { paths: [], nested: [], omitted: [] };
  try {
    const config = await readInertSettings(run, cwd);
    const listed = split((await run({ cwd, args: ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], config })).text);
    const head = await run({ cwd, args: ["rev-parse", "--verify", "--quiet", "HEAD"], config, ok: [0, 1, 128] });
    const omitted = head.code === 0 ? [`${path}/.git (the history of a repository inside)`] : [];
    const paths: string[] = [];
    for (const name of new Set(listed)) {
      const at = join(path, name);
      if (!(await isFolder(join(folder, at)))) paths.push(at);
      else {
        const deeper = await collect(run, folder, at.replace(/\/$/, ""));
        paths.push(...deeper.paths);
        omitted.push(...deeper.omitted);
      }
    }
    return { paths, nested: [path], omitted };
  } catch {
    return { paths: [], nested: [path], omitted: [`${path} (a repository that cannot be read)`] };
  }
}

/** What a submodule holds that its pointer does not lead to. */
async function lostInSubmodule(run: RunGit, folder: string, path: string): Promise<readonly string[]> {
  const cwd = join(folder, path);
  if (!(await isThere(join(cwd, ".git")))) return [];
  try {
    const config = await readInertSettings(run, cwd);
    const { text: status } = await run({ cwd, args: ["status", "--porcelain", "-z", "--untracked-files=all"], config });
    const { text: commits } = await run({ cwd, args: ["rev-list", "--max-count=1", "--all", "HEAD", "--not", "--remotes"], config });
    return [
      ...(status === "" ? [] : [`${path} (changes inside a submodule)`]),
      ...(commits.trim() === "" ? [] : [`${path} (commits of a submodule that no remote has)`]),
    ];
  } catch {
    return [`${path} (a submodule that cannot be read)`];
  }
}

/** Files as objects of exactly their bytes. */
async function entriesOf(
  call: Call,
  { folder, none, paths }: { readonly folder: string; readonly none: string; readonly paths: readonly string[] },
): Promise<{ readonly entries: readonly Entry[]; readonly omitted: readonly string[] }> {
  const entries: Entry[] = [];
  const omitted: string[] = [];
  const files: { readonly path: string; readonly mode: string }[] = [];
  const gone = (path: string): void => void entries.push({ mode: "0", id: none, path });
  const hash = async (args: readonly string[], input: string | Buffer) =>
    (await call(["hash-object", "-w", ...args], { input })).text.trim();
  for (const path of paths) {
    const item = await lstat(join(folder, path)).catch(() => undefined);
    if (item === undefined || item.isDirectory()) gone(path);
    else if (item.isSymbolicLink()) {
      const id = await hash(["--stdin"], await readlink(join(folder, path), { encoding: "buffer" }));
      entries.push({ mode: "120000", id, path });
    } else if (item.isFile()) files.push({ path, mode: (item.mode & 0o100) === 0 ? "100644" : "100755" });
    else {
      gone(path);
      omitted.push(`${path} (no file and no link)`);
    }
  }
  // The list that git reads has one path a line.
  const listed = files.filter(({ path }) => !/[\n"\\]/.test(path));
  const ids =
    listed.length === 0 ? [] : (await hash(["--no-filters", "--stdin-paths"], listed.map(({ path }) => `${path}\n`).join(""))).split("\n");
  entries.push(...listed.map(({ path, mode }, index) => ({ mode, id: ids[index] ?? "", path })));
  for (const { path, mode } of files) {
    if (/[\n"\\]/.test(path)) entries.push({ mode, id: await hash(["--no-filters", "--", path], ""), path });
  }
  return { entries, omitted };
}

async function writeEntries(call: Call, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  // What goes makes room for what comes: a folder may have taken the place of a file.
  const ordered = entries.toSorted((a, b) => Number(b.mode === "0") - Number(a.mode === "0"));
  const input = ordered.map(({ mode, id, path }) => `${mode} ${id}\t${path}\0`).join("");
  await call(["update-index", "-z", "--index-info"], { input });
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

function split(text: string): readonly string[] {
  return text.split("\0").filter((one) => one !== "");
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true;
}
