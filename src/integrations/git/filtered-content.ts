import { type RunGit } from "./run-git.ts";

/** Which files are looked at: those in which two trees differ. */
export interface FilteredContentRequest {
  readonly folder: string;
  readonly from: string;
  readonly to: string;
}

const lfsPointer = "version https://git-lfs.github.com/spec/v1\n";
const largestPointer = 1024;

/**
 * Rejects when a changed file is one that `.gitattributes` hands to a filter, and lies there as the filter would not have it: no filter runs here, and its
 * content would be published in place of a pointer or of a ciphertext.
 */
export async function refuseFilteredContent(run: RunGit, { folder, from, to }: FilteredContentRequest): Promise<void> {
  const { text: listed } = await run({ cwd: folder, args: ["diff-tree", "-r", "-z", "--no-renames", "--diff-filter=AMT", from, to] });
  const fields = listed.split("\0");
  const changed = new Map<string, string>();
  for (let at = 0; at + 1 < fields.length; at += 2) changed.set(fields[at + 1] ?? "", (fields[at] ?? "").split(" ")[3] ?? "");
  if (changed.size === 0) return;
  const input = [...changed.keys()].map((path) => `${path}\0`).join("");
  const { text: attributes } = await run({ cwd: folder, args: ["check-attr", "-z", "--stdin", "filter"], input });
  const answers = attributes.split("\0");
  const refused: string[] = [];
  for (let at = 0; at + 2 < answers.length; at += 3) {
    const [path = "", , filter = ""] = answers.slice(at, at + 3);
    if (["unspecified", "unset", "set", ""].includes(filter)) continue;
    if (filter !== "lfs" || !(await isPointer(run, folder, changed.get(path) ?? ""))) refused.push(`${path} (filter ${filter})`);
  }
  if (refused.length > 0)
    throw new Error(
      `Not published: ${refused.join(", ")} would be published without the filter that .gitattributes names, which is not run here.`,
    );
}

async function isPointer(run: RunGit, cwd: string, id: string): Promise<boolean> {
  const size = Number((await run({ cwd, args: ["cat-file", "-s", id] })).text.trim());
  return size <= largestPointer && (size === 0 || (await run({ cwd, args: ["cat-file", "blob", id] })).text.startsWith(lfsPointer));
}
