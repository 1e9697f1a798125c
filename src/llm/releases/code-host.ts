/** A proposed change of a repository: a pull request at GitHub, a branch in plain git. */
export interface CodeChange {
  /** Under which the code host finds it again, e.g. `pull/12` or `branch/hotfix/export-scope`. */
  readonly id: string;
  readonly title: string;
  readonly branch: string;
  /** Full commit id of its head. */
  readonly sha: string;
  /** Full commit id of the branch that it goes into, as of now. */
  readonly baseSha: string;
  readonly state: "open" | "merged" | "closed";
  /** `unknown`: the code host has not worked it out yet. */
  readonly mergeable: boolean | "unknown";
  /** Paths that it changes, at most 3,000. */
  readonly paths: readonly string[];
  /** Page for people. */
  readonly url?: string;
}

/** What to look for when a fix is wanted. */
export interface FixSearch {
  /** `owner/name`. */
  readonly repository: string;
  /** Ids of what was found, e.g. `GHSA-…`, `CVE-…`, `code-scanning/12`. */
  readonly references: readonly string[];
  /** Packages that an update would fix. */
  readonly packages: readonly string[];
  readonly signal: AbortSignal;
}

/** How a merge ended. `moved`: the head is no longer the commit that was asked for. Nothing was merged unless it says `merged`. */
export type MergeOutcome =
  | { readonly kind: "merged" /** Of the merge, on the branch that was merged into. */; readonly sha: string }
  | { readonly kind: "moved"; readonly sha: string }
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
  /** Open changes that may be the fix, the likeliest first: those that name a reference or update a package, then those on branches `hotfix/*`. At most 20. */
  findFixes(search: FixSearch): Promise<readonly CodeChange[]>;
  /** Opens a change for a branch that exists, or answers the one that is open for it. */
  openChange(request: {
    readonly repository: string;
    readonly branch: string;
    readonly title: string;
    readonly body: string;
    readonly signal: AbortSignal;
  }): Promise<CodeChange>;
  /** Undefined: there is none of this id. */
  readChange(repository: string, id: string, signal: AbortSignal): Promise<CodeChange | undefined>;
  /** Merges exactly the commit `sha`; answers `merged` again when that has happened before. */
  mergeChange(request: {
    readonly repository: string;
    readonly id: string;
    readonly sha: string;
    readonly signal: AbortSignal;
  }): Promise<MergeOutcome>;
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
