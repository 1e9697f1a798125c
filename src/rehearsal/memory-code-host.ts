import { StepFailure } from "../core/failure.ts";
import { sha256 } from "../core/json.ts";
import type { CodeChange, CodeHost, CodeIssue } from "../llm/releases/code-host.ts";
import { rankFixes } from "../llm/releases/rank-fixes.ts";

/** A commit to be put on a branch. */
export interface MemoryCommit {
  readonly branch: string;
  /** Path → text of what it changes. */
  readonly files: Readonly<Record<string, string>>;
  readonly message: string;
}

/** Repositories in memory, with branches as changes. */
export interface MemoryCodeHost extends CodeHost {
  /** Puts a commit on a branch, which is made from `main` where there is none; answers its id. */
  commit(repository: string, commit: MemoryCommit): string;
  /** The commit at the end of a branch. */
  tip(repository: string, branch: string): string | undefined;
  /** Ids of a commit's parents, the branch that was merged into first. */
  parents(repository: string, sha: string): readonly string[];
  /** Every issue, in the order in which they were opened. */
  issues(repository: string): readonly { readonly key: string; readonly title: string; readonly body: string }[];
}

interface StoredCommit {
  readonly parents: readonly string[];
  readonly files: ReadonlyMap<string, string>;
  readonly message: string;
}

interface StoredRepository {
  readonly commits: Map<string, StoredCommit>;
  readonly branches: Map<string, string>;
  readonly issues: { readonly key: string; readonly title: string; readonly body: string }[];
}

const base = "main";

/** Each repository begins with one commit. `changed` is told of every merge and every issue. */
export function createMemoryCodeHost(repositories: readonly string[], changed: (line: string) => void = () => undefined): MemoryCodeHost {
  const all = new Map(
    repositories.map((name): [string, StoredRepository] => {
      const repository = { commits: new Map(), branches: new Map(), issues: [] };
      put(repository, base, { parents: [], files: new Map([["README.md", name]]), message: "base" });
      return [name, repository];
    }),
  );
  const find = (name: string): StoredRepository => {
    const repository = all.get(name);
    if (repository === undefined) throw refused(`There is no repository ${name}.`);
    return repository;
  };

  return {
    commit(name, { branch, files, message }) {
      const repository = find(name);
      const parent = repository.branches.get(branch) ?? tipOfBase(repository);
      const before = repository.commits.get(parent)?.files ?? new Map();
      return put(repository, branch, { parents: [parent], files: new Map([...before, ...Object.entries(files)]), message });
    },
    tip: (name, branch) => find(name).branches.get(branch),
    parents: (name, sha) => find(name).commits.get(sha)?.parents ?? [],
    issues: (name) => find(name).issues,
    async findFixes({ repository: name, references, packages, signal }) {
      signal.throwIfAborted();
      const repository = find(name);
      const open = [...repository.branches.keys()].toReversed().flatMap((branch) => {
        const change = describe(repository, branch);
        return change?.state === "open" ? [{ ...change, text: messagesOf(repository, change.sha) }] : [];
      });
      return rankFixes(open, { references, packages }).map(({ text: _text, ...change }) => change);
    },
    async openChange({ repository: name, branch, signal }) {
      signal.throwIfAborted();
      const change = describe(find(name), branch);
      if (change?.state !== "open") throw refused(`${name} has no branch ${branch} with anything that ${base} lacks.`);
      return change;
    },
    async readChange(name, id, signal) {
      signal.throwIfAborted();
      return describe(find(name), branchOf(id));
    },
    async mergeChange({ repository: name, id, sha, signal }) {
      signal.throwIfAborted();
      if (!/^[0-9a-f]{40}$/.test(sha)) throw refused("This is not the full id of a commit.");
      const repository = find(name);
      const main = tipOfBase(repository);
      if (reachable(repository, main).has(sha)) return { kind: "merged", sha: mergeOf(repository, sha) };
      const tip = repository.branches.get(branchOf(id));
      if (tip === undefined) throw refused(`${name} has no ${id}.`);
      if (tip !== sha) return { kind: "moved", sha: tip };
      const files = mergedFiles(repository, main, sha);
      if (files === undefined) return { kind: "not_mergeable", reason: `it conflicts with ${base}` };
      if (!reachable(repository, sha).has(main)) return { kind: "behind", sha: main };
      const merged = put(repository, base, { parents: [main, sha], files, message: `Merge ${id}` });
      changed(`repository/${name}: ${branchOf(id)} merged into ${base}`);
      return { kind: "merged", sha: merged };
    },
    async sameFiles({ repository: name, shas, signal }) {
      signal.throwIfAborted();
      const [one, other] = shas.map((sha) => {
        const commit = find(name).commits.get(sha);
        if (commit === undefined) throw refused(`${name} has no commit ${sha}.`);
        return JSON.stringify([...commit.files].toSorted(([a], [b]) => (a < b ? -1 : 1)));
      });
      return one === other;
    },
    async openIssue({ repository: name, key, title, body, signal }): Promise<CodeIssue> {
      signal.throwIfAborted();
      const { issues } = find(name);
      const at = issues.findIndex((issue) => issue.key === key);
      if (at !== -1) return { id: `issue/${at + 1}` };
      issues.push({ key, title, body });
      changed(`repository/${name}: issue opened: ${title}`);
      return { id: `issue/${issues.length}` };
    },
  };
}

function put(repository: StoredRepository, branch: string, commit: StoredCommit): string {
  const { parents, files, message } = commit;
  const sha = sha256(JSON.stringify([parents, [...files], message, repository.commits.size])).slice(0, 40);
  repository.commits.set(sha, commit);
  repository.branches.set(branch, sha);
  return sha;
}

function tipOfBase({ branches }: StoredRepository): string {
  const tip = branches.get(base);
  if (tip === undefined) throw new Error("A repository in memory has lost its base branch.");
  return tip;
}

function reachable({ commits }: StoredRepository, from: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [from];
  for (let sha = waiting.pop(); sha !== undefined; sha = waiting.pop()) {
    if (reached.has(sha)) continue;
    reached.add(sha);
    waiting.push(...(commits.get(sha)?.parents ?? []));
  }
  return reached;
}

/** The oldest commit of the base branch that has `sha` among its ancestors. */
function mergeOf(repository: StoredRepository, sha: string): string {
  let merge = tipOfBase(repository);
  for (let [parent] = repository.commits.get(merge)?.parents ?? []; parent !== undefined; ) {
    if (!reachable(repository, parent).has(sha)) return merge;
    merge = parent;
    [parent] = repository.commits.get(merge)?.parents ?? [];
  }
  return merge;
}

function describe(repository: StoredRepository, branch: string): CodeChange | undefined {
  const sha = branch === base ? undefined : repository.branches.get(branch);
  if (sha === undefined) return undefined;
  const main = tipOfBase(repository);
  const isMerged = reachable(repository, main).has(sha);
  return {
    id: `branch/${branch}`,
    opened: true,
    title: repository.commits.get(sha)?.message.split("\n")[0] ?? "",
    branch,
    sha,
    baseSha: main,
    state: isMerged ? "merged" : "open",
    ...(isMerged && { mergeSha: mergeOf(repository, sha) }),
    mergeable: !isMerged && mergedFiles(repository, main, sha) !== undefined,
    upToDate: isMerged || reachable(repository, sha).has(main),
    paths: [...changesSince(repository, commonAncestor(repository, main, sha), sha).keys()],
  };
}

function messagesOf(repository: StoredRepository, sha: string): string {
  const main = reachable(repository, tipOfBase(repository));
  return [...reachable(repository, sha)].flatMap((one) => (main.has(one) ? [] : (repository.commits.get(one)?.message ?? []))).join("\n");
}

function commonAncestor(repository: StoredRepository, main: string, sha: string): string | undefined {
  const ofMain = reachable(repository, main);
  return [...reachable(repository, sha)].find((one) => ofMain.has(one));
}

function changesSince({ commits }: StoredRepository, from: string | undefined, to: string): ReadonlyMap<string, string> {
  const before = from === undefined ? undefined : commits.get(from)?.files;
  return new Map([...(commits.get(to)?.files ?? [])].filter(([path, text]) => before?.get(path) !== text));
}

/** Undefined: both have changed one file. */
function mergedFiles(repository: StoredRepository, main: string, sha: string): ReadonlyMap<string, string> | undefined {
  const ancestor = commonAncestor(repository, main, sha);
  const [ours, theirs] = [changesSince(repository, ancestor, main), changesSince(repository, ancestor, sha)];
  if ([...theirs].some(([path, text]) => ours.has(path) && ours.get(path) !== text)) return undefined;
  return new Map([...(repository.commits.get(main)?.files ?? []), ...theirs]);
}

function branchOf(id: string): string {
  return id.startsWith("branch/") ? id.slice("branch/".length) : "";
}

function refused(message: string): StepFailure {
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}
