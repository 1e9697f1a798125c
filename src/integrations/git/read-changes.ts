import {
  type ChangedFile,
  maxChangedBytes,
  maxChangedFileBytes,
  maxChangedFiles,
  type SavedChanges,
} from "../../llm/tickets/checkpoint.ts";
import type { RunGit } from "./run-git.ts";

/** Which files are read: those in which the work of a checkpoint differs from where it left what tickets are based on. */
export interface ChangesRequest {
  readonly repository: string;
  readonly commit: string;
  /** What tickets are based on. */
  readonly base: string;
}

interface Change {
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

/** The id of a file that was not there. */
const noBlob = /^0+$/;

/**
 * Reads the files that a commit adds or changes, without attributes, filters or programs of the repository: files are compared by their ids, and their bytes
 * are read as they are. What is beyond the bounds is counted and not read.
 */
export async function readChanges(run: RunGit, { repository, commit, base }: ChangesRequest): Promise<SavedChanges> {
  // The first parent would hide what the ticket's tools have committed by themselves.
  const { code, text: fork } = await run({ cwd: repository, args: ["merge-base", `${commit}^1`, base], ok: [0, 1] });
  if (code !== 0) throw new Error(`Commit ${commit} in ${repository} has no commit in common with ${base}.`);
  const listing = ["diff-tree", "-r", "-z", "--no-renames", "--diff-filter=AMT", fork.trim(), commit];
  const changes = parseListing((await run({ cwd: repository, args: listing })).text);
  const sizes = await sizesOf(run, repository, [...new Set(changes.flatMap(({ from, to }) => (noBlob.test(from) ? [to] : [from, to])))]);
  const chosen: Change[] = [];
  let bytes = 0;
  for (const change of changes) {
    const [size, sizeBefore] = [sizes.get(change.to) ?? Number.POSITIVE_INFINITY, sizes.get(change.from) ?? 0];
    // A file that was too large to be read counts as new: then all of it is looked at.
    const isBeforeRead = sizeBefore <= maxChangedFileBytes;
    const cost = size + (isBeforeRead ? sizeBefore : 0);
    if (size > maxChangedFileBytes || bytes + cost > maxChangedBytes || chosen.length >= maxChangedFiles) continue;
    bytes += cost;
    chosen.push(isBeforeRead ? change : { ...change, from: "0" });
  }
  const wanted = [...new Set(chosen.flatMap(({ from, to }) => [from, to]))].filter((id) => !noBlob.test(id));
  const texts = await textsOf(run, repository, wanted);
  const files = chosen.map(({ path, from, to }): ChangedFile => ({ path, text: texts.get(to) ?? "", before: texts.get(from) ?? "" }));
  return { files, unread: changes.length - files.length };
}

/** Regular files of git's list of differences. */
function parseListing(listed: string): readonly Change[] {
  const fields = listed.split("\0");
  const changes: Change[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [modeBefore = "", mode = "", from = "", to = ""] = (fields[at] ?? "").replace(/^:/, "").split(" ");
    if (!mode.startsWith("100")) continue;
    changes.push({ path: fields[at + 1] ?? "", from: modeBefore.startsWith("100") ? from : "0", to });
  }
  return changes;
}

async function sizesOf(run: RunGit, cwd: string, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map();
  const { text } = await run({ cwd, args: ["cat-file", "--batch-check=%(objectname) %(objectsize)"], input: `${ids.join("\n")}\n` });
  return new Map(
    text.split("\n").flatMap((line) => {
      const [, id, size] = /^([0-9a-f]+) (\d+)$/.exec(line) ?? [];
      return id === undefined ? [] : [[id, Number(size)] as const];
    }),
  );
}

/** Rejects when one is missing. */
async function textsOf(run: RunGit, cwd: string, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  if (ids.length === 0) return texts;
  const { bytes } = await run({ cwd, args: ["cat-file", "--batch"], input: `${ids.join("\n")}\n` });
  let at = 0;
  for (const id of ids) {
    const end = bytes.indexOf(10, at);
    const [name, type, size] = bytes.subarray(at, end).toString().split(" ");
    if (name !== id || type !== "blob") throw new Error(`git cat-file in ${cwd} does not have object ${id}`);
    texts.set(id, bytes.subarray(end + 1, end + 1 + Number(size)).toString());
    // Behind the content is a line feed.
    at = end + 2 + Number(size);
  }
  return texts;
}
