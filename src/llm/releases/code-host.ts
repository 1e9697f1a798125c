/** A change of a repository: a pull request at GitHub, or a branch that none has been opened for; a branch in plain git. */
export interface CodeChange {
  /** Under which the code host finds it again, e.g. `pull/12` or `branch/hotfix/export-scope`. */
  readonly id: string;
  /** Whether it can be merged under this id: false for a branch at GitHub, for which {@link CodeHost.openChange} comes first. */
  readonly opened: boolean;
  readonly title: string;
  readonly branch: string;
  /** Full commit id of its head. */
  readonly sha: string;
  /** Full commit id of the branch that it goes into, as of now. */
  readonly baseSha: string;
  readonly state: "open" | "merged" | "closed";
  /** Full id of the commit on the base branch that brought it there; of a merged change alone. */
  readonly mergeSha?: string;
  /** `unknown`: the code host has not worked it out yet. */
  readonly mergeable: boolean | "unknown";
  /** Whether its head holds every commit of the base branch as of now: only then is what a merge makes what was tested. True of a merged change. */
  readonly upToDate: boolean;
  /** Paths that it changes, at most 3,000. */
  readonly paths: readonly string[];
  /** Page for people. */
  readonly url?: string;
}

/** What to look for when a fix is wanted. */
export interface FixSearch {
  /** `owner/name`. */
  readonly repository: string;
  /** Ids of what was found, e.g. `GHSA-…`, `CVE-…`, `code-scanning/12`; see `isNamed`. */
  readonly references: readonly string[];
  /** Packages that an update would fix, as their registry writes them. */
  readonly packages: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * How a merge ended. `moved`: the head is no longer the commit that was asked for. `behind`: the base branch has commits that it lacks. Nothing was merged unless
 * it says `merged`.
 */
export type MergeOutcome =
  | { readonly kind: "merged" /** Of the merge, on the branch that was merged into. */; readonly sha: string }
  | { readonly kind: "moved"; readonly sha: string }
  | { readonly kind: "behind" /** At the end of the base branch. */; readonly sha: string }
  | { readonly kind: "not_mergeable"; readonly reason: string };

/** An issue at the code host. */
export interface CodeIssue {
  readonly id: string;
  readonly url?: string;
}

/**
 * Where the code of a feature is kept. Every member rejects with StepFailure, and with the signal's reason; a write is never repeated blindly: it is probed by
 * its key first.
 */
export interface CodeHost {
  /**
   * Open changes that may be the fix, the likeliest first: those that name a reference or update a package, then those on branches `hotfix/*`. At most 20.
   * A change whose branch is outside of the repository, such as that of a fork, is none of them: anybody can open one.
   */
  findFixes(search: FixSearch): Promise<readonly CodeChange[]>;
  /** Opens a change for a branch that exists, or answers the one that is open for it. */
  openChange(request: {
    readonly repository: string;
    readonly branch: string;
    readonly title: string;
    readonly body: string;
    readonly signal: AbortSignal;
  }): Promise<CodeChange>;
  /** By its id, or by `branch/<name>` for the change that is open for a branch. Undefined: there is none. */
  readChange(repository: string, id: string, signal: AbortSignal): Promise<CodeChange | undefined>;
  /** Merges exactly the commit `sha`, by a commit with two parents where the repository permits it; answers `merged` again when that has happened before. */
  mergeChange(request: {
    readonly repository: string;
    readonly id: string;
    readonly sha: string;
    readonly signal: AbortSignal;
  }): Promise<MergeOutcome>;
  /**
   * Whether two commits hold the same files. A merge of a commit that was up to date has exactly its files; where the base branch moved while GitHub merged, it
   * has others.
   */
  sameFiles(request: {
    readonly repository: string;
    readonly shas: readonly [string, string];
    readonly signal: AbortSignal;
  }): Promise<boolean>;
  /** The issue that carries the key, opened when there is none. */
  openIssue(request: {
    readonly repository: string;
    readonly key: string;
    readonly title: string;
    readonly body: string;
    readonly signal: AbortSignal;
  }): Promise<CodeIssue>;
}

/** One code host per system of `code_host` in runbookd.yml; absent where it is not configured. */
export type CodeHosts = { readonly [System in "github" | "git"]?: CodeHost };
