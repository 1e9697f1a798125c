import type { GitHubGit } from "./github-git.ts";
import type { GitHubQuirks } from "./github-quirks.ts";
import { type GitHubAnswer, type GitHubRoute, gitHubNotFound, pageOfList, textOf } from "./github-route.ts";

/** What the part of the API about code needs of the server. */
export interface GitHubCodeOptions {
  /** The repository of a name in any case, with the code behind it; undefined: there is none, or it has no code. */
  readonly find: (name: string) => { readonly name: string; readonly git: GitHubGit } | undefined;
  readonly quirks: GitHubQuirks;
  /** Address of the API. */
  readonly base: () => string;
  /** As GitHub writes an instant. */
  readonly now: () => string;
  /** Something is on the base branch that was not there before. */
  readonly pushed: (repository: string, sha: string) => void;
}

interface Pull {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly branch: string;
  readonly base: string;
  /** Of another owner: the branch is in a fork. */
  readonly fork: string | undefined;
  readonly createdAt: string;
  state: "open" | "closed";
  /** Once it is merged: the merge, and the head that was merged. */
  merged: { readonly sha: string; readonly head: string } | undefined;
  /** Head for which it was worked out last whether it can be merged. */
  settledFor: string;
  looks: number;
}

interface Issue {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly at: string;
}

/** Pull requests and issues, with the routes for both. */
export interface GitHubPulls {
  readonly routes: readonly GitHubRoute[];
  /** Opens one as a person does, from a fork where one is named; answers its number. */
  openPull(
    repository: string,
    pull: { readonly branch: string; readonly title: string; readonly body?: string; readonly fork?: string },
  ): number;
  closePull(repository: string, number: number): void;
  issues(repository: string): readonly { readonly title: string; readonly body: string }[];
}

const main = "main";

/** https://docs.github.com/en/rest/pulls/pulls and https://docs.github.com/en/rest/issues/issues */
export function createGitHubPulls({ find, quirks, base, now, pushed }: GitHubCodeOptions): GitHubPulls {
  const all = new Map<string, { readonly pulls: Pull[]; readonly issues: Issue[] }>();
  const of = (name: string) => {
    const stored = all.get(name) ?? { pulls: [], issues: [] };
    all.set(name, stored);
    return stored;
  };
  const numberOf = (name: string) => 1 + of(name).pulls.length + of(name).issues.length;

  function open(name: string, { branch, title, body = "", fork }: Parameters<GitHubPulls["openPull"]>[1]): Pull {
    const pull: Pull = {
      number: numberOf(name),
      title,
      body,
      branch,
      base: main,
      fork,
      createdAt: now(),
      state: "open",
      merged: undefined,
      settledFor: "",
      looks: 0,
    };
    of(name).pulls.push(pull);
    return pull;
  }

  /** A member `mergeable` is only in the answer about one pull request. */
  function shown(name: string, git: GitHubGit, pull: Pull): Readonly<Record<string, unknown>> {
    const sha = pull.merged?.head ?? git.tip(pull.branch) ?? "";
    return {
      number: pull.number,
      title: pull.title,
      body: pull.body,
      state: pull.state,
      html_url: `https://github.example/${name}/pull/${pull.number}`,
      created_at: pull.createdAt,
      head: { ref: pull.branch, sha, repo: { full_name: pull.fork === undefined ? name : `${pull.fork}/${name.split("/")[1] ?? ""}` } },
      base: { ref: pull.base, sha: git.tip(pull.base) ?? "", repo: { full_name: name } },
      merge_commit_sha: pull.merged?.sha ?? null,
    };
  }

  /** Null until it has been asked for some times since the head has moved. */
  function mergeableOf(git: GitHubGit, pull: Pull): boolean | null {
    const head = git.tip(pull.branch) ?? "";
    if (pull.settledFor !== head) {
      pull.looks += 1;
      if (pull.looks <= quirks.mergeableNullLooks) return null;
      pull.settledFor = head;
      pull.looks = 0;
    }
    return git.mergedTree(git.tip(pull.base) ?? "", head) !== undefined;
  }

  function create(name: string, git: GitHubGit, body: Readonly<Record<string, unknown>>): GitHubAnswer {
    const invalid = (message: string, errors: readonly object[] = []): GitHubAnswer => ({ status: 422, body: { message, errors } });
    const [branch, head] = [textOf(body, "head"), git.tip(textOf(body, "head"))];
    if (head === undefined) return invalid("Validation Failed", [{ resource: "PullRequest", field: "head", code: "invalid" }]);
    if (of(name).pulls.some((pull) => pull.branch === branch && pull.state === "open"))
      return invalid("Validation Failed", [{ message: `A pull request already exists for acme:${branch}.` }]);
    if (git.commits(main, head).length === 0) return invalid("Validation Failed", [{ message: `No commits between main and ${branch}` }]);
    const pull = open(name, { branch, title: textOf(body, "title"), body: textOf(body, "body") });
    return { status: 201, body: shown(name, git, pull), lost: takeLoss() };
  }

  function takeLoss(): boolean {
    if (quirks.answersLost <= 0) return false;
    quirks.answersLost -= 1;
    return true;
  }

  function merge(name: string, pull: Pull, body: Readonly<Record<string, unknown>>): GitHubAnswer {
    const git = find(name)?.git;
    if (git === undefined) return gitHubNotFound;
    quirks.beforeMerge?.();
    const [head, tip] = [git.tip(pull.branch) ?? "", git.tip(pull.base) ?? ""];
    const refuse = (message: string): GitHubAnswer => ({ status: 405, body: { message } });
    if (quirks.mergeRefused !== undefined) return refuse(quirks.mergeRefused);
    const isUnsettled = quirks.mergeableNullLooks > 0 && pull.settledFor !== head;
    if (pull.state === "closed" || isUnsettled) return refuse("Pull Request is not mergeable");
    const squashed = textOf(body, "merge_method") === "squash";
    if (quirks.mergeCommitsForbidden && !squashed) return refuse("Merge commits are not allowed on this repository.");
    const sha = textOf(body, "sha");
    if (sha !== "" && sha !== head) return { status: 409, body: { message: "Head branch was modified. Review and try the merge again." } };
    if (git.mergedTree(tip, head) === undefined) return refuse("Pull Request is not mergeable");
    const merged = git.merge({
      branch: pull.base,
      base: tip,
      head,
      squashed,
      title: `Merge pull request #${pull.number} from ${pull.branch}`,
    });
    pull.merged = { sha: merged, head };
    pull.state = "closed";
    pushed(name, merged);
    return { status: 200, body: { sha: merged, merged: true, message: "Pull Request successfully merged" }, lost: takeLoss() };
  }

  const repository = String.raw`^/repos/([^/]+/[^/]+)`;
  const route = (method: string, path: string, handle: GitHubRoute["handle"]): GitHubRoute => ({
    method,
    path: new RegExp(`${repository}${path}$`),
    handle,
  });
  const withCode = (
    handle: (
      code: { readonly name: string; readonly git: GitHubGit },
      groups: readonly string[],
      url: URL,
      body: Readonly<Record<string, unknown>>,
    ) => GitHubAnswer,
  ): GitHubRoute["handle"] => {
    return ([name = "", ...groups], url, body) => {
      const code = find(name);
      return code === undefined ? gitHubNotFound : handle(code, groups, url, body);
    };
  };
  const pullOf = (name: string, number: string | undefined) => of(name).pulls.find((pull) => pull.number === Number(number));

  const routes: readonly GitHubRoute[] = [
    route(
      "GET",
      "/git/ref/heads/(.+)",
      withCode(({ git }, [branch = ""]) => {
        const name = decodeURIComponent(branch);
        const sha = git.tip(name);
        return sha === undefined ? gitHubNotFound : { status: 200, body: { ref: `refs/heads/${name}`, object: { type: "commit", sha } } };
      }),
    ),
    route(
      "GET",
      "/git/matching-refs/heads/(.*)",
      withCode(({ git }, [prefix = ""], url) => {
        const refs = git.branches(decodeURIComponent(prefix)).map(({ branch, sha }) => ({ ref: `refs/heads/${branch}`, object: { sha } }));
        return pageOfList(refs, url, base());
      }),
    ),
    route(
      "GET",
      String.raw`/compare/([0-9a-f]{40})\.\.\.([0-9a-f]{40})`,
      withCode(({ git }, [from = "", to = ""]) => {
        const commits = git.commits(from, to).map(({ sha, message }) => ({ sha, commit: { message } }));
        const files = git.files(from, to).map((filename) => ({ filename }));
        return { status: 200, body: { ahead_by: commits.length, behind_by: git.commits(to, from).length, commits, files } };
      }),
    ),
    route(
      "GET",
      "/git/commits/([0-9a-f]{40})",
      withCode(({ git }, [sha = ""]) => {
        const tree = git.tree(sha);
        return tree === undefined ? gitHubNotFound : { status: 200, body: { sha, tree: { sha: tree } } };
      }),
    ),
    route(
      "GET",
      "/pulls",
      withCode(({ name, git }, _groups, url) => {
        const [state, head] = [url.searchParams.get("state") ?? "open", url.searchParams.get("head")];
        const listed = of(name).pulls.filter(
          (pull) =>
            (state === "all" || pull.state === state) &&
            (head === null || head === `${pull.fork ?? name.split("/")[0] ?? ""}:${pull.branch}`),
        );
        return pageOfList(
          listed.toReversed().map((pull) => shown(name, git, pull)),
          url,
          base(),
        );
      }),
    ),
    route(
      "POST",
      "/pulls",
      withCode(({ name, git }, _groups, _url, body) => create(name, git, body)),
    ),
    route(
      "GET",
      String.raw`/pulls/(\d+)`,
      withCode(({ name, git }, [number]) => {
        const pull = pullOf(name, number);
        if (pull === undefined) return gitHubNotFound;
        const isMerged = pull.merged !== undefined;
        const body = { ...shown(name, git, pull), merged: isMerged, mergeable: isMerged ? null : mergeableOf(git, pull) };
        return { status: 200, body };
      }),
    ),
    route(
      "GET",
      String.raw`/pulls/(\d+)/files`,
      withCode(({ name, git }, [number], url) => {
        const pull = pullOf(name, number);
        const head = pull && (pull.merged?.head ?? git.tip(pull.branch));
        if (pull === undefined || head === undefined) return gitHubNotFound;
        return pageOfList(
          git.files(pull.base, head).map((filename) => ({ filename })),
          url,
          base(),
        );
      }),
    ),
    route(
      "PUT",
      String.raw`/pulls/(\d+)/merge`,
      withCode(({ name }, [number], _url, body) => {
        const pull = pullOf(name, number);
        return pull === undefined ? gitHubNotFound : merge(name, pull, body);
      }),
    ),
    route(
      "GET",
      "/issues",
      withCode(({ name }, _groups, url) => {
        const issues = of(name).issues.map(({ number, title, body }) => ({ number, title, body, html_url: issuePage(name, number) }));
        return pageOfList(issues.toReversed(), url, base());
      }),
    ),
    route(
      "POST",
      "/issues",
      withCode(({ name }, _groups, _url, body) => {
        if (quirks.issuesDisabled) return { status: 410, body: { message: "Issues are disabled for this repo" } };
        const issue: Issue = { number: numberOf(name), title: textOf(body, "title"), body: textOf(body, "body"), at: now() };
        of(name).issues.push(issue);
        return { status: 201, body: { ...issue, html_url: issuePage(name, issue.number) }, lost: takeLoss() };
      }),
    ),
  ];

  return {
    routes,
    openPull: (name, pull) => open(name, pull).number,
    closePull(name, number) {
      const pull = of(name).pulls.find((one) => one.number === number);
      if (pull !== undefined) pull.state = "closed";
    },
    issues: (name) => of(name).issues,
  };
}

function issuePage(name: string, number: number): string {
  return `https://github.example/${name}/issues/${number}`;
}
