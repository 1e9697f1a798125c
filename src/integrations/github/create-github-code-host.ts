import type { z } from "zod";
import { maskSecrets } from "../../../packages/sdk/src/wire/mask-secrets.ts";
import type { Clock } from "../../core/clock.ts";
import { StepFailure } from "../../core/failure.ts";
import { sha256 } from "../../core/json.ts";
import { shortLine } from "../../core/one-line.ts";
import { isBranchName } from "../../llm/releases/branch-name.ts";
import type { CodeChange, CodeHost, CodeIssue, MergeOutcome } from "../../llm/releases/code-host.ts";
import { rankFixes } from "../../llm/releases/rank-fixes.ts";
import { type GitHubClient, GitHubRefusal, type GitHubWrite, type GitHubWritten } from "./create-github-client.ts";
import {
  compareShape,
  fileShape,
  type GitHubPull,
  gitCommitShape,
  issueShape,
  listedPullShape,
  mergedShape,
  openedShape,
  pageOf,
  pullShape,
  refShape,
  repositoryShape,
} from "./github-code-shapes.ts";
import { orStepFailure, statusFailure } from "./github-failure.ts";

/** Open pull requests that are looked at when a fix is wanted, the last updated. */
const maxPulls = 300;
const maxPaths = 3000;
/** Issues that are looked at for a key, the newest. */
const maxIssues = 1000;
const maxBody = 60_000;
/** GitHub works out in the background whether a pull request can be merged: how often it is asked, and how long in between. */
const maxMergeableReads = 6;
const mergeableEveryMs = 2000;

const shaPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Changes as pull requests of GitHub. A merge names the commit that its head must be, and everything that changes something is read first, so that a call that
 * is made again after a lost answer changes nothing twice.
 */
export function createGitHubCodeHost(client: GitHubClient, clock: Pick<Clock, "now" | "sleep">): CodeHost {
  async function read<Value>(shape: z.ZodType<Value>, path: string, { what, signal }: Asked): Promise<Value | undefined> {
    const answer = client.read(path, signal).catch((error: unknown) => {
      if (error instanceof GitHubRefusal && error.refusal.kind === "status" && error.refusal.status === 404) return undefined;
      throw error;
    });
    const json = await orStepFailure(answer, { what, reads: true, now: clock.now() });
    if (json === undefined) return undefined;
    const parsed = shape.safeParse(json);
    if (parsed.success) return parsed.data;
    throw new StepFailure({
      reason: "not_reachable",
      message: `GitHub answered something that cannot be read for ${what}.`,
      applied: "no",
    });
  }

  /** Members of another shape are left out. */
  async function list<Value>(shape: z.ZodType<Value>, path: string, { what, signal, max }: Asked & { readonly max: number }) {
    const items: Value[] = [];
    const collect = async (): Promise<void> => {
      for await (const page of client.pages({ path, signal })) {
        for (const item of page.items) {
          const parsed = shape.safeParse(item);
          if (parsed.success) items.push(parsed.data);
        }
        if (items.length >= max) return;
      }
    };
    await orStepFailure(collect(), { what, reads: true, now: clock.now() });
    return items.slice(0, max);
  }

  async function write(request: GitHubWrite, what: string): Promise<GitHubWritten> {
    return orStepFailure(client.write(request), { what, reads: false, now: clock.now() });
  }

  async function repositoryOf(repository: string, signal: AbortSignal) {
    const settings = await read(repositoryShape, `/repos/${repository}`, { what: `repository ${repository}`, signal });
    if (settings === undefined) throw refused(`GitHub has no repository ${repository}, or the token does not reach it.`);
    return settings;
  }

  async function tipOf(repository: string, branch: string, signal: AbortSignal): Promise<string | undefined> {
    if (!isBranchName(branch)) return undefined;
    const ref = await read(refShape, `/repos/${repository}/git/ref/heads/${encoded(branch)}`, { what: `branch ${branch}`, signal });
    // GitHub answers with a list of those that begin so where there is none of this name.
    return ref?.ref === `refs/heads/${branch}` ? ref.object.sha : undefined;
  }

  async function readPull(repository: string, number: number, signal: AbortSignal): Promise<GitHubPull | undefined> {
    return read(pullShape, `/repos/${repository}/pulls/${number}`, { what: `pull request ${number}`, signal });
  }

  async function compare(repository: string, [from, to]: readonly [string, string], signal: AbortSignal) {
    return read(compareShape, `/repos/${repository}/compare/${from}...${to}`, { what: `what ${to.slice(0, 12)} changes`, signal });
  }

  /** Without a common ancestor there is nothing to compare, and the head lacks everything. */
  async function isUpToDate(repository: string, ends: readonly [base: string, head: string], signal: AbortSignal): Promise<boolean> {
    return (await compare(repository, ends, signal))?.behind_by === 0;
  }

  async function treeOf(repository: string, sha: string, signal: AbortSignal): Promise<string> {
    if (!shaPattern.test(sha)) throw refused(`"${shortLine(sha, 80)}" is not the full id of a commit.`);
    const commit = await read(gitCommitShape, `/repos/${repository}/git/commits/${sha}`, { what: `commit ${sha.slice(0, 12)}`, signal });
    if (commit === undefined) throw refused(`${repository} has no commit ${sha}.`);
    return commit.tree.sha;
  }

  async function describePull(repository: string, pull: GitHubPull, signal: AbortSignal): Promise<CodeChange> {
    const { number, title, head, base, state, merged, merge_commit_sha: mergeSha, mergeable } = pull;
    const filesPath = `/repos/${repository}/pulls/${number}/files?per_page=100`;
    const [files, baseSha = base.sha] = [
      await list(fileShape, filesPath, { what: "the files of a pull request", signal, max: maxPaths }),
      await tipOf(repository, base.ref, signal),
    ];
    return {
      id: `pull/${number}`,
      opened: true,
      title: shortLine(title, 200),
      branch: head.ref,
      sha: head.sha,
      baseSha,
      state: merged ? "merged" : state,
      ...(merged && typeof mergeSha === "string" && { mergeSha }),
      mergeable: merged ? false : (mergeable ?? "unknown"),
      upToDate: merged || (await isUpToDate(repository, [baseSha, head.sha], signal)),
      paths: files.map(({ filename }) => filename),
      ...pageOf(pull.html_url),
    };
  }

  /** The open pull request of a branch of the repository itself. */
  async function pullOf(repository: string, branch: string, signal: AbortSignal): Promise<GitHubPull | undefined> {
    const { default_branch: base, full_name: name } = await repositoryOf(repository, signal);
    const query = new URLSearchParams({ state: "open", head: `${name.split("/")[0] ?? ""}:${branch}`, per_page: "100" });
    const path = `/repos/${repository}/pulls?${query.toString()}`;
    const pulls = await list(listedPullShape, path, { what: "pull requests", signal, max: 100 });
    const listed = pulls.find((pull) => pull.head.ref === branch && pull.base.ref === base && isOfRepository(pull));
    return listed && readPull(repository, listed.number, signal);
  }

  async function readBranch(repository: string, branch: string, signal: AbortSignal): Promise<CodeChange | undefined> {
    if (!isBranchName(branch)) return undefined;
    const pull = await pullOf(repository, branch, signal);
    if (pull !== undefined) return describePull(repository, pull, signal);
    const { default_branch: base } = await repositoryOf(repository, signal);
    const [sha, baseSha] = [await tipOf(repository, branch, signal), await tipOf(repository, base, signal)];
    if (branch === base || sha === undefined || baseSha === undefined) return undefined;
    const compared = await compare(repository, [baseSha, sha], signal);
    if (compared === undefined) return undefined;
    return {
      id: `branch/${branch}`,
      opened: false,
      title: shortLine(compared.commits.at(-1)?.commit.message.split("\n")[0] ?? branch, 200),
      branch,
      sha,
      baseSha,
      state: compared.ahead_by === 0 ? "merged" : "open",
      mergeable: "unknown",
      upToDate: compared.behind_by === 0 || compared.ahead_by === 0,
      paths: (compared.files ?? []).map(({ filename }) => filename),
    };
  }

  /** Waits until GitHub has worked out whether the pull request can be merged. */
  async function readSettledPull(repository: string, number: number, signal: AbortSignal): Promise<GitHubPull> {
    for (let reads = 1; ; reads += 1) {
      const pull = await readPull(repository, number, signal);
      if (pull === undefined) throw refused(`GitHub has no pull request ${number} in ${repository}; nothing was merged.`);
      if (pull.merged || pull.state === "closed" || typeof pull.mergeable === "boolean") return pull;
      if (reads === maxMergeableReads)
        throw new StepFailure({
          reason: "overloaded",
          message: `GitHub has not worked out yet whether pull request ${number} of ${repository} can be merged; nothing was merged.`,
          applied: "no",
          retryAfterMs: 10_000,
        });
      await clock.sleep(mergeableEveryMs, signal);
    }
  }

  return {
    async findFixes({ repository, references, packages, signal }) {
      const { default_branch: base } = await repositoryOf(repository, signal);
      const path = `/repos/${repository}/pulls?state=open&sort=updated&direction=desc&per_page=100`;
      const pulls = (await list(listedPullShape, path, { what: "pull requests", signal, max: maxPulls })).filter(
        // Anybody can open one from a fork.
        (pull) => pull.base.ref === base && isOfRepository(pull),
      );
      const refsPath = `/repos/${repository}/git/matching-refs/heads/hotfix/?per_page=100`;
      const refs = await list(refShape, refsPath, { what: "branches hotfix/*", signal, max: 100 });
      const branches = refs
        .map(({ ref }) => ref.slice("refs/heads/".length))
        .filter((branch) => branch.startsWith("hotfix/") && !pulls.some((pull) => pull.head.ref === branch));
      const described = [
        ...pulls.map(({ number, title, body, head }) => ({ number, branch: head.ref, title, text: body ?? "" })),
        ...branches.map((branch) => ({ number: undefined, branch, title: "", text: "" })),
      ];
      const fixes: CodeChange[] = [];
      for (const { number, branch } of rankFixes(described, { references, packages })) {
        const pull = number === undefined ? undefined : await readPull(repository, number, signal);
        const change = pull === undefined ? await readBranch(repository, branch, signal) : await describePull(repository, pull, signal);
        if (change?.state === "open") fixes.push(change);
      }
      return fixes;
    },
    async openChange({ repository, branch, title, body, signal }) {
      const { default_branch: base } = await repositoryOf(repository, signal);
      if (!isBranchName(branch)) throw refused(`"${shortLine(branch, 100)}" is not the name of a branch.`);
      const existing = await pullOf(repository, branch, signal);
      if (existing !== undefined) return describePull(repository, existing, signal);
      const sent = { title: maskSecrets(shortLine(title, 200)), body: maskSecrets(body.slice(0, maxBody)), head: branch, base };
      const what = `opening a pull request for ${branch}`;
      const written = await write({ method: "POST", path: `/repos/${repository}/pulls`, body: sent, signal }, what);
      const number = written.status === 201 ? openedShape.safeParse(written.json).data?.number : undefined;
      // 422 also when another process has opened one since.
      const isThere = written.status === 201 || written.status === 422;
      const pull =
        number === undefined ? isThere && (await pullOf(repository, branch, signal)) : await readPull(repository, number, signal);
      if (pull === undefined || pull === false) throw statusFailure(written, { what, reads: false });
      return describePull(repository, pull, signal);
    },
    async readChange(repository, id, signal) {
      if (id.startsWith("branch/")) return readBranch(repository, id.slice("branch/".length), signal);
      const number = numberOf(id);
      const pull = number === undefined ? undefined : await readPull(repository, number, signal);
      return pull && describePull(repository, pull, signal);
    },
    async mergeChange({ repository, id, sha, signal }): Promise<MergeOutcome> {
      if (!shaPattern.test(sha)) throw refused(`"${shortLine(sha, 80)}" is not the full id of a commit.`);
      const number = numberOf(id);
      if (number === undefined) throw refused(`${shortLine(id, 100)} is not a pull request of ${repository}; nothing was merged.`);
      const settings = await repositoryOf(repository, signal);
      const pull = await readSettledPull(repository, number, signal);
      const decided = decideMerge(pull, sha, settings.default_branch);
      if (decided !== undefined) return decided;
      const main = await tipOf(repository, settings.default_branch, signal);
      if (main === undefined) throw refused(`${repository} has no branch ${settings.default_branch}; nothing was merged.`);
      if (!(await isUpToDate(repository, [main, sha], signal))) return { kind: "behind", sha: main };
      const path = `/repos/${repository}/pulls/${number}/merge`;
      const what = `the merge of pull request ${number}`;
      const written = await write({ method: "PUT", path, body: { sha, merge_method: methodOf(settings) }, signal }, what);
      if (written.status === 200) {
        const merged = mergedShape.safeParse(written.json);
        if (merged.success) return { kind: "merged", sha: merged.data.sha };
        throw new StepFailure({ reason: "unknown_outcome", message: `GitHub answered ${what} with something else.`, applied: "unknown" });
      }
      if (written.status === 409) {
        const { head } = (await readPull(repository, number, signal)) ?? pull;
        if (head.sha !== sha) return { kind: "moved", sha: head.sha };
      }
      if (written.status === 405 || written.status === 409)
        return { kind: "not_mergeable", reason: written.words === "" ? `GitHub answered ${written.status}` : written.words };
      throw statusFailure(written, { what, reads: false });
    },
    async sameFiles({ repository, shas, signal }) {
      const [one, other] = await Promise.all(shas.map(async (sha) => treeOf(repository, sha, signal)));
      return one === other;
    },
    async openIssue({ repository, key, title, body, signal }) {
      const marker = `<!-- runbookd:${sha256(key).slice(0, 32)} -->`;
      const find = async (): Promise<CodeIssue | undefined> => {
        const path = `/repos/${repository}/issues?state=all&sort=created&direction=desc&per_page=100`;
        const issues = await list(issueShape, path, { what: "issues", signal, max: maxIssues });
        return issueOf(issues.find((issue) => issue.body?.includes(marker) === true));
      };
      const existing = await find();
      if (existing !== undefined) return existing;
      const sent = { title: maskSecrets(shortLine(title, 200)), body: `${maskSecrets(body.slice(0, maxBody))}\n\n${marker}` };
      const what = `opening an issue in ${repository}`;
      const written = await write({ method: "POST", path: `/repos/${repository}/issues`, body: sent, signal }, what);
      const issue = written.status === 201 ? (issueOf(issueShape.safeParse(written.json).data) ?? (await find())) : undefined;
      if (issue === undefined) throw statusFailure(written, { what, reads: false });
      return issue;
    },
  };
}

interface Asked {
  readonly what: string;
  readonly signal: AbortSignal;
}

/** What is certain without asking for the merge. */
function decideMerge({ number, merged, merge_commit_sha: mergeSha, head, base, state, mergeable }: GitHubPull, sha: string, main: string) {
  if (head.sha !== sha) return { kind: "moved", sha: head.sha } as const;
  if (merged && typeof mergeSha === "string") return { kind: "merged", sha: mergeSha } as const;
  const never = (reason: string) => ({ kind: "not_mergeable", reason }) as const;
  if (state === "closed") return never(`pull request ${number} was closed`);
  if (base.ref !== main) return never(`pull request ${number} goes into ${shortLine(base.ref, 100)}, and not into ${main}`);
  return mergeable === false ? never(`pull request ${number} conflicts with ${main}`) : undefined;
}

function methodOf({
  allow_merge_commit: merge,
  allow_squash_merge: squash,
}: z.output<typeof repositoryShape>): "merge" | "squash" | "rebase" {
  if (merge !== false) return "merge";
  return squash === false ? "rebase" : "squash";
}

function isOfRepository({ head, base }: Pick<GitHubPull, "head" | "base">): boolean {
  return head.repo !== null && head.repo.full_name.toLowerCase() === base.repo?.full_name.toLowerCase();
}

function issueOf(issue: z.output<typeof issueShape> | undefined): CodeIssue | undefined {
  return issue && { id: `issue/${issue.number}`, ...pageOf(issue.html_url) };
}

function numberOf(id: string): number | undefined {
  const digits = /^pull\/([1-9]\d{0,8})$/.exec(id)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function encoded(branch: string): string {
  return branch.split("/").map(encodeURIComponent).join("/");
}

function refused(message: string): StepFailure {
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}
