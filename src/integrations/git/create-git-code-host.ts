import { maskSecrets } from "../../../packages/sdk/src/wire/mask-secrets.ts";
import type { Clock } from "../../core/clock.ts";
import { StepFailure } from "../../core/failure.ts";
import type { GitSetting } from "../../core/inert-git.ts";
import { sha256 } from "../../core/json.ts";
import { shortLine } from "../../core/one-line.ts";
import { isBranchName } from "../../llm/releases/branch-name.ts";
import type { CodeChange, CodeHost, MergeOutcome } from "../../llm/releases/code-host.ts";
import { type DescribedChange, rankFixes } from "../../llm/releases/rank-fixes.ts";
import { type GitPlace, type GitRepositoryPlace, openGitPlace } from "./git-place.ts";
import { createRunGit } from "./run-git.ts";
import { readSafeFolders } from "./safe-folders.ts";

/** Which repositories there are, and how git is run in them. */
export interface GitCodeHostOptions {
  /** Absolute path of git, 2.38 or newer. */
  readonly git: string;
  /** What it sees of our environment: PATH, and HOME where a remote needs keys. */
  readonly environment: Readonly<Record<string, string>>;
  /** By `owner/name`. */
  readonly repositories: { readonly [repository: string]: GitRepositoryPlace };
  /**
   * Protocols that may be spoken with a remote; https and ssh unless said. `file` lets a repository's configuration name another one on this machine, whose
   * hooks would run.
   */
  readonly protocols?: readonly string[];
  /** Of one call of git; a minute unless said. */
  readonly timeoutMs?: number;
  readonly clock: Clock;
}

/** Branches that are looked at when a fix is wanted, the newest. */
const maxBranches = 200;
const maxCommits = 50;
/** Processes of git that read messages at the same time. */
const branchesAtOnce = 8;
/** Of the messages of one branch. */
const maxMessageBytes = 400_000;
/** Of the paths that a branch changes. */
const maxPathBytes = 4 * 1024 * 1024;
const maxPaths = 3000;
/** How often a merge is made anew because the base branch has moved. */
const maxTries = 3;
const maxBody = 60_000;

const shaPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Changes as branches of plain git. A merge is a commit that is made without a work tree, and the base branch moves to it only from where it was, while the
 * branch still ends where it was tested. No hook and no program that the configuration of a repository names is run here; those of a remote are its own.
 * Issues are commits without files below `refs/runbookd/issues/`, which `git show` prints.
 */
export function createGitCodeHost(options: GitCodeHostOptions): CodeHost {
  const { git, environment, repositories, protocols = ["https", "ssh"], timeoutMs = 60_000, clock } = options;
  const how = { git, environment, protocols, timeoutMs, clock };
  let safeFolders: Promise<readonly GitSetting[]> | undefined;
  const run = createRunGit({ ...how, standing: async () => (safeFolders ??= readSafeFolders(createRunGit(how))) });

  async function open(repository: string, signal: AbortSignal): Promise<OpenRepository> {
    const named = Object.keys(repositories).find((name) => name.toLowerCase() === repository.toLowerCase());
    const settings = named === undefined ? undefined : repositories[named];
    if (settings === undefined) throw refused(`git_repositories in runbookd.yml has no repository ${repository}.`, "invalid_parameters");
    const place = await openGitPlace(run, settings, signal);
    await place.refresh();
    return { place, base: settings.main, repository };
  }

  return {
    async findFixes({ repository, references, packages, signal }) {
      const opened = await open(repository, signal);
      const main = await baseTip(opened);
      const { place, base } = opened;
      const listed = await place.run([
        "for-each-ref",
        "--format=%(refname) %(objectname)",
        "--sort=-committerdate",
        `--count=${maxBranches}`,
        `--no-merged=${main}`,
        place.heads,
      ]);
      const branches = listed.text.split("\n").flatMap((line) => {
        const [ref = "", tip = ""] = line.split(" ");
        const branch = ref.slice(place.heads.length);
        return branch === "" || branch === base ? [] : [{ branch, tip }];
      });
      const described: (DescribedChange & (typeof branches)[number])[] = [];
      for (let start = 0; start < branches.length; start += branchesAtOnce)
        described.push(
          ...(await Promise.all(branches.slice(start, start + branchesAtOnce).map(async (one) => describeBranch(place, main, one)))),
        );
      const fixes: CodeChange[] = [];
      for (const { branch, tip } of rankFixes(described, { references, packages }))
        fixes.push(await describe(opened, { branch, tip, main }));
      return fixes;
    },
    async openChange({ repository, branch, signal }) {
      const opened = await open(repository, signal);
      const change = await readBranch(opened, branch);
      if (change === undefined) throw refused(`${repository} has no branch ${shortLine(branch, 100)}.`);
      if (change.state !== "open")
        throw refused(`Branch ${shortLine(branch, 100)} of ${repository} holds nothing that ${opened.base} lacks.`);
      return change;
    },
    async readChange(repository, id, signal) {
      return readBranch(await open(repository, signal), branchOf(id));
    },
    async mergeChange({ repository, id, sha, signal }) {
      if (!shaPattern.test(sha)) throw refused(`"${shortLine(sha, 80)}" is not the full id of a commit.`, "invalid_parameters");
      for (let tries = 1; ; tries += 1) {
        const outcome = await merge(await open(repository, signal), branchOf(id), sha);
        if (outcome !== undefined) return outcome;
        if (tries < maxTries) continue;
        throw new StepFailure({
          reason: "overloaded",
          message: `The base branch of ${repository} moved during each of ${maxTries} merges; nothing was merged.`,
          applied: "no",
        });
      }
    },
    async sameFiles({ repository, shas, signal }) {
      const { place } = await open(repository, signal);
      const [one, other] = await Promise.all(shas.map(async (sha) => treeOf(place, sha)));
      return one === other;
    },
    async openIssue({ repository, key, title, body, signal }) {
      const { place } = await open(repository, signal);
      const ref = `refs/runbookd/issues/${sha256(key).slice(0, 20)}`;
      if ((await place.at(ref)) !== undefined) return { id: ref };
      const tree = (await place.run(["mktree"], { input: "" })).text.trim();
      const message = `${shortLine(maskSecrets(title), 200)}\n\n${maskSecrets(body.slice(0, maxBody))}\n`;
      const to = (await place.run(["commit-tree", tree, "-F", "-"], { input: message })).text.trim();
      const moved = await place.move({ ref, to });
      if (moved.kind === "refused") throw refused(`The issue was not written: ${moved.reason}.`);
      return { id: ref };
    },
  };
}

interface OpenRepository {
  readonly place: GitPlace;
  /** Name of the branch that changes go into. */
  readonly base: string;
  readonly repository: string;
}

interface BranchTip {
  readonly branch: string;
  readonly tip: string;
  /** Tip of the base branch. */
  readonly main: string;
}

async function baseTip({ place, base, repository }: OpenRepository): Promise<string> {
  const tip = await tipOf(place, base);
  if (tip === undefined)
    throw refused(`${repository} has no branch ${base}; name the branch that changes go into as main in git_repositories.`);
  return tip;
}

/** The id of a branch's commit, as it was read last. */
async function tipOf(place: GitPlace, branch: string): Promise<string | undefined> {
  if (!isBranchName(branch)) return undefined;
  const { code, text } = await place.run(["show-ref", "--verify", "--hash", `${place.heads}${branch}`], { ok: [0, 1, 128] });
  return code === 0 ? text.trim() : undefined;
}

async function readBranch(opened: OpenRepository, branch: string): Promise<CodeChange | undefined> {
  const tip = branch === opened.base ? undefined : await tipOf(opened.place, branch);
  return tip === undefined ? undefined : describe(opened, { branch, tip, main: await baseTip(opened) });
}

async function describe({ place }: OpenRepository, { branch, tip, main }: BranchTip): Promise<CodeChange> {
  const { text: title } = await place.run(["log", "-1", "--format=%s", tip, "--"], { enoughBytes: maxMessageBytes });
  const isMerged = await isAncestor(place, tip, main);
  const diff = ["diff", "--name-only", "--no-renames", "--no-ext-diff", "--no-textconv", "-z", `${main}...${tip}`, "--"];
  // Without a common ancestor there is no difference, and no merge.
  const { text: paths } = await place.run(diff, { ok: [0, 128], enoughBytes: maxPathBytes });
  return {
    id: `branch/${branch}`,
    opened: true,
    title: shortLine(title, 200),
    branch,
    sha: tip,
    baseSha: main,
    state: isMerged ? "merged" : "open",
    ...(isMerged && { mergeSha: await mergeOf(place, tip, main) }),
    mergeable: !isMerged && (await mergedTree(place, main, tip)).kind === "tree",
    upToDate: isMerged || (await isAncestor(place, main, tip)),
    paths: paths
      .split("\0")
      .filter((path) => path !== "")
      .slice(0, maxPaths),
  };
}

async function treeOf(place: GitPlace, sha: string): Promise<string> {
  if (!shaPattern.test(sha)) throw refused(`"${shortLine(sha, 80)}" is not the full id of a commit.`, "invalid_parameters");
  const { code, text } = await place.run(["rev-parse", "--verify", "--quiet", `${sha}^{tree}`], { ok: [0, 1, 128] });
  if (code !== 0) throw refused(`There is no commit ${sha}.`);
  return text.trim();
}

/** The length of a commit's message has no limit. */
async function describeBranch<Branch extends Pick<BranchTip, "branch" | "tip">>(
  place: GitPlace,
  main: string,
  branch: Branch,
): Promise<Branch & DescribedChange> {
  const args = ["log", "--format=%B", "-n", String(maxCommits), `${main}..${branch.tip}`, "--"];
  const { text } = await place.run(args, { enoughBytes: maxMessageBytes });
  return { ...branch, title: text.split("\n")[0] ?? "", text };
}

async function isAncestor(place: GitPlace, sha: string, of: string): Promise<boolean> {
  return (await place.run(["merge-base", "--is-ancestor", sha, of], { ok: [0, 1, 128] })).code === 0;
}

/** The commit that brought `sha` onto the base branch: `sha` itself when the branch was moved to it. */
async function mergeOf(place: GitPlace, sha: string, main: string): Promise<string> {
  const list = async (how: string) =>
    (await place.run(["rev-list", how, `${sha}..${main}`, "--"])).text.split("\n").filter((line) => line !== "");
  const descendants = new Set(await list("--ancestry-path"));
  const first = (await list("--first-parent")).findLast((commit) => descendants.has(commit));
  if (first === undefined) return sha;
  const parent = (await place.run(["rev-parse", "--verify", "--quiet", `${first}^1`], { ok: [0, 1] })).text.trim();
  return parent === sha ? sha : first;
}

type MergedTree = { readonly kind: "tree"; readonly tree: string } | { readonly kind: "conflict"; readonly reason: string };

async function mergedTree(place: GitPlace, main: string, tip: string): Promise<MergedTree> {
  if ((await place.run(["merge-base", main, tip], { ok: [0, 1] })).code !== 0)
    return { kind: "conflict", reason: "the branch has no commit in common with the base branch" };
  const args = ["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", main, tip];
  const { code, text } = await place.run(args, { ok: [0, 1] });
  const [tree = "", ...paths] = text.split("\0").filter((part) => part !== "");
  if (code === 0) return { kind: "tree", tree };
  return { kind: "conflict", reason: shortLine(`it conflicts with the base branch in ${paths.join(", ")}`, 300) };
}

/** Undefined: the base branch has moved since it was read, and nothing was merged. */
async function merge(opened: OpenRepository, branch: string, sha: string): Promise<MergeOutcome | undefined> {
  const { place, base, repository } = opened;
  const main = await baseTip(opened);
  if (await isAncestor(place, sha, main)) return { kind: "merged", sha: await mergeOf(place, sha, main) };
  const tip = branch === base ? undefined : await tipOf(place, branch);
  if (tip === undefined) throw refused(`${repository} has no branch ${shortLine(branch, 100)}; nothing was merged.`);
  if (tip !== sha) return { kind: "moved", sha: tip };
  const merged = await mergedTree(place, main, sha);
  if (merged.kind === "conflict") return { kind: "not_mergeable", reason: merged.reason };
  if (!(await isAncestor(place, main, sha))) return { kind: "behind", sha: main };
  const args = ["commit-tree", merged.tree, "-p", main, "-p", sha, "-F", "-"];
  const commit = (await place.run(args, { input: `Merge branch '${branch}' at ${sha.slice(0, 12)}\n` })).text.trim();
  const held = { ref: `refs/heads/${branch}`, at: sha };
  const moved = await place.move({ ref: `refs/heads/${base}`, from: main, to: commit, held });
  if (moved.kind === "moved") return { kind: "merged", sha: commit };
  return moved.kind === "refused" ? { kind: "not_mergeable", reason: moved.reason } : undefined;
}

/** Of an id as the code host gives it; empty for any other. */
function branchOf(id: string): string {
  return id.startsWith("branch/") ? id.slice("branch/".length) : "";
}

function refused(message: string, reason: "refused_by_target" | "invalid_parameters" = "refused_by_target"): StepFailure {
  return new StepFailure({ reason, message, applied: "no" });
}
