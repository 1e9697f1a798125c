/** One worktree as `git worktree list --porcelain -z` tells it. */
export interface Worktree {
  readonly folder: string;
  readonly head: string;
  /** Full name of the branch that it is on. */
  readonly branch: string | undefined;
  readonly detached: boolean;
  /** Its folder is gone. */
  readonly prunable: boolean;
}

/** Reads `git worktree list --porcelain -z`: lines end with NUL, and a worktree ends with an empty one. */
export function parseWorktrees(text: string): readonly Worktree[] {
  return text.split("\0\0").flatMap((block) => {
    const fields = new Map(
      block.split("\0").map((line): readonly [string, string] => {
        const blank = line.indexOf(" ");
        return blank === -1 ? [line, ""] : [line.slice(0, blank), line.slice(blank + 1)];
      }),
    );
    const [folder, head] = [fields.get("worktree"), fields.get("HEAD")];
    if (folder === undefined || head === undefined) return [];
    return [{ folder, head, branch: fields.get("branch"), detached: fields.has("detached"), prunable: fields.has("prunable") }];
  });
}
