import { z } from "zod";

const commitId = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const end = z.object({ ref: z.string(), sha: commitId, repo: z.object({ full_name: z.string() }).nullable() });

/** https://docs.github.com/en/rest/repos/repos#get-a-repository */
export const repositoryShape = z.object({
  full_name: z.string(),
  default_branch: z.string(),
  /** Shown only to those who may write. */
  allow_merge_commit: z.boolean().optional(),
  allow_squash_merge: z.boolean().optional(),
  allow_rebase_merge: z.boolean().optional(),
});

/** As lists show it. https://docs.github.com/en/rest/pulls/pulls#list-pull-requests */
export const listedPullShape = z.object({
  number: z.int().min(1),
  title: z.string(),
  body: z.string().nullish(),
  head: end,
  base: end,
});

/** https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request */
export const pullShape = listedPullShape.extend({
  state: z.enum(["open", "closed"]),
  merged: z.boolean(),
  /** Of a test merge while it is open. */
  merge_commit_sha: commitId.nullish(),
  /** null: GitHub is still working it out. */
  mergeable: z.boolean().nullish(),
  html_url: z.string().optional(),
});

/** Of what was opened just now, whatever else the answer says. */
export const openedShape = pullShape.pick({ number: true });

/** See {@link pullShape}. */
export type GitHubPull = z.output<typeof pullShape>;

/** https://docs.github.com/en/rest/git/refs#get-a-reference */
export const refShape = z.object({ ref: z.string(), object: z.object({ sha: commitId }) });

/** https://docs.github.com/en/rest/commits/commits#compare-two-commits */
export const compareShape = z.object({
  ahead_by: z.int().min(0),
  behind_by: z.int().min(0),
  commits: z.array(z.object({ sha: commitId, commit: z.object({ message: z.string() }) })),
  files: z.array(z.object({ filename: z.string() })).optional(),
});

/** https://docs.github.com/en/rest/git/commits#get-a-commit-object */
export const gitCommitShape = z.object({ sha: commitId, tree: z.object({ sha: commitId }) });

/** https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request */
export const mergedShape = z.object({ merged: z.literal(true), sha: commitId });

/** https://docs.github.com/en/rest/issues/issues#list-repository-issues */
export const issueShape = z.object({ number: z.int().min(1), body: z.string().nullish(), html_url: z.string().optional() });

/** A member of a list of files. */
export const fileShape = z.object({ filename: z.string() });

/** The page of something for people; what is no plain address of the web is left out. */
export function pageOf(url: string | undefined): { readonly url?: string } {
  return url !== undefined && /^https?:\/\/[^\s"'<>\\]{1,900}$/.test(url) ? { url } : {};
}
