import { execFileSync } from "node:child_process";

/** One commit of a comparison. */
export interface ComparedCommit {
  readonly sha: string;
  readonly message: string;
}

/** What the server does in the bare repository behind a repository of its own. */
export interface GitHubGit {
  /** The commit at the end of a branch. */
  tip(branch: string): string | undefined;
  branches(prefix: string): readonly { readonly branch: string; readonly sha: string }[];
  /** Commits of `head` that `base` lacks, oldest first. */
  commits(base: string, head: string): readonly ComparedCommit[];
  /** Paths that `head` changes against where it left `base`. */
  files(base: string, head: string): readonly string[];
  /** The tree of a commit; undefined: there is no such commit. */
  tree(sha: string): string | undefined;
  /** The tree of a merge; undefined: there is a conflict. */
  mergedTree(base: string, head: string): string | undefined;
  /** Makes the merge and moves `branch`, which was at `base`, to it. */
  merge(merge: {
    readonly branch: string;
    readonly base: string;
    readonly head: string;
    readonly title: string;
    /** A commit with one parent. */
    readonly squashed: boolean;
  }): string;
}

/** Runs git in the folder of a bare repository. */
export function openGitHubGit(path: string): GitHubGit {
  const run = (...args: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=GitHub", "-c", "user.email=noreply@github.invalid", ...args], {
      cwd: path,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  const tryRun = (...args: readonly string[]): string | undefined => {
    try {
      return run(...args);
    } catch {
      return undefined;
    }
  };
  const linesOf = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");
  const branches: GitHubGit["branches"] = (prefix) =>
    linesOf(run("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/")).flatMap((line) => {
      const [sha = "", ref = ""] = line.split(" ");
      const branch = ref.slice("refs/heads/".length);
      return branch.startsWith(prefix) ? [{ branch, sha }] : [];
    });
  const mergedTree: GitHubGit["mergedTree"] = (base, head) => tryRun("merge-tree", "--write-tree", "--no-messages", base, head);
  return {
    branches,
    tip: (branch) => branches(branch).find((one) => one.branch === branch)?.sha,
    commits: (base, head) =>
      linesOf(run("log", "--reverse", "--format=%H %s", `${base}..${head}`)).map((line) => ({
        sha: line.slice(0, line.indexOf(" ")),
        message: line.slice(line.indexOf(" ") + 1),
      })),
    files: (base, head) => linesOf(run("diff", "--name-only", `${base}...${head}`)),
    tree: (sha) => tryRun("rev-parse", "--verify", "--quiet", `${sha}^{tree}`),
    mergedTree,
    merge({ branch, base, head, title, squashed }) {
      const tree = mergedTree(base, head) ?? "";
      const sha = run("commit-tree", tree, "-p", base, ...(squashed ? [] : ["-p", head]), "-m", title);
      run("update-ref", `refs/heads/${branch}`, sha, base);
      return sha;
    },
  };
}
