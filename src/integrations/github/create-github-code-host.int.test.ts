import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type GitHubServer, startGitHub } from "../../../demo/simulators/github-server/github-server.ts";
import { describeCodeHost } from "../../../test/contracts/describe-code-host.ts";
import { aBareOrigin, type BareOrigin } from "../../../test/servers/bare-origin.ts";
import { createSystemClock } from "../../core/clock.ts";
import { StepFailure } from "../../core/failure.ts";
import { createBoundedSender } from "../../platform/requests/bounded-request.ts";
import { createGitHubClient, gitHubRequestLimits } from "./create-github-client.ts";
import { createGitHubCodeHost } from "./create-github-code-host.ts";
import { createGitHubSources } from "./create-github-sources.ts";

const repository = "acme/desk";
const token = "github_pat_of_a_test";
const { signal } = new AbortController();

let root: string;
const releases: (() => Promise<void>)[] = [];
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "runbookd-github-")));
});
afterEach(async () => {
  for (const release of releases.splice(0).toReversed()) await release();
  rmSync(root, { recursive: true, force: true });
});

async function aBench() {
  const origin = aBareOrigin(root);
  const fixes = new Set<string>();
  const github = await startGitHub({
    token,
    repositories: [{ name: "Acme/desk", private: true, path: origin.path }],
    stillFound: (_alert, sha) => !origin.parents(sha).some((parent) => fixes.has(parent)),
  });
  const clock = createSystemClock();
  const sender = createBoundedSender(gitHubRequestLimits, { clock });
  releases.push(
    async () => github[Symbol.asyncDispose](),
    async () => sender.close(),
  );
  const slept: number[] = [];
  const client = createGitHubClient(sender, { apiUrl: github.url, token }, clock);
  const host = createGitHubCodeHost(client, {
    now: () => clock.now(),
    async sleep(ms, cut) {
      cut?.throwIfAborted();
      slept.push(ms);
    },
  });
  return { origin, github, client, host, slept, fixes };
}

type Bench = Awaited<ReturnType<typeof aBench>>;

describeCodeHost("GitHub", async () => {
  const { origin, github, host } = await aBench();
  return {
    host,
    repository,
    commit: async (branch, files, message) => origin.commit(branch, files, message),
    tip: async (branch) => origin.tip(branch),
    parents: async (sha) => origin.parents(sha),
    issues: async () => github.pulls.issues("Acme/desk").map(({ title, body }) => `${title}\n\n${body}`),
    [Symbol.asyncDispose]: async () => undefined,
  };
});

async function aHotfix({ origin, host }: { readonly origin: BareOrigin; readonly host: Bench["host"] }) {
  const sha = origin.commit("hotfix/export", { "src/export.js": "fenced" });
  const change = await host.openChange({ repository, branch: "hotfix/export", title: "Fence it", body: "", signal });
  return { sha, change, merge: async () => host.mergeChange({ repository, id: change.id, sha, signal }) };
}

async function failureOf(work: Promise<unknown>) {
  const end = await work.then(
    (value: unknown) => value,
    (error: unknown) => error,
  );
  if (!(end instanceof StepFailure)) throw new Error(`Nothing was refused: ${JSON.stringify(end)}`);
  expect(JSON.stringify(end.failure)).not.toContain(token);
  return end.failure;
}

function countOf({ requests }: GitHubServer, method: string, path: RegExp): number {
  return requests.filter((request) => request.method === method && path.test(request.path)).length;
}

describe("a pull request", () => {
  it("is merged once GitHub has worked out that it can be", async () => {
    const bench = await aBench();
    bench.github.quirks.mergeableNullLooks = 3;
    const { sha, merge } = await aHotfix(bench);
    expect(await merge()).toMatchObject({ kind: "merged" });
    expect(bench.origin.parents(bench.origin.tip("main") ?? "")).toContain(sha);
    expect(bench.slept.length).toBeGreaterThan(0);
  });

  it("is not merged while GitHub never works it out", async () => {
    const bench = await aBench();
    bench.github.quirks.mergeableNullLooks = 100;
    const { change, merge } = await aHotfix(bench);
    expect(change.mergeable).toBe("unknown");
    expect(await failureOf(merge())).toMatchObject({ reason: "overloaded", applied: "no", retryAfterMs: 10_000 });
    expect(countOf(bench.github, "PUT", /merge/)).toBe(0);
  });

  it("is not merged when its head moves between reading and merging", async () => {
    const bench = await aBench();
    const { merge } = await aHotfix(bench);
    const main = bench.origin.tip("main");
    let moved = "";
    bench.github.quirks.beforeMerge = () => (moved = bench.origin.commit("hotfix/export", { "src/export.js": "evil" }));
    expect(await merge()).toEqual({ kind: "moved", sha: moved });
    expect(bench.origin.tip("main")).toBe(main);
  });

  it("that was merged onto a base which moved at the same time holds other files than were tested", async () => {
    const bench = await aBench();
    const { sha, merge } = await aHotfix(bench);
    bench.github.quirks.beforeMerge = () => void bench.origin.commit("main", { "src/other.js": "other" });
    const outcome = await merge();
    if (outcome.kind !== "merged") throw new Error(`GitHub does not guard its base branch: ${outcome.kind}`);
    expect(await bench.host.sameFiles({ repository, shas: [outcome.sha, sha], signal })).toBe(false);
  });

  it("is not merged where a rule of the repository forbids it, in GitHub's words", async () => {
    const bench = await aBench();
    const { merge } = await aHotfix(bench);
    bench.github.quirks.mergeRefused = "At least 1 approving review is required by reviewers with write access.";
    expect(await merge()).toEqual({ kind: "not_mergeable", reason: bench.github.quirks.mergeRefused });
    expect(countOf(bench.github, "PUT", /merge/)).toBe(1);
  });

  it("is squashed where merge commits are forbidden", async () => {
    const bench = await aBench();
    const { change, merge } = await aHotfix(bench);
    bench.github.quirks.mergeCommitsForbidden = true;
    const outcome = await merge();
    expect(outcome).toEqual({ kind: "merged", sha: bench.origin.tip("main") });
    expect(await merge()).toEqual(outcome);
    expect(await bench.host.readChange(repository, change.id, signal)).toMatchObject({
      state: "merged",
      mergeSha: bench.origin.tip("main"),
    });
  });

  it("is merged, opened and reported once when the answers are lost", async () => {
    const bench = await aBench();
    const { origin, github, host } = bench;
    origin.commit("hotfix/export", { a: "1" });
    const open = async () => host.openChange({ repository, branch: "hotfix/export", title: "t", body: "", signal });
    const issue = async () => host.openIssue({ repository, key: "k", title: "t", body: "b", signal });
    github.quirks.answersLost = 1;
    expect(await failureOf(open())).toMatchObject({ applied: "unknown" });
    const { id, sha } = await open();
    const merge = async () => host.mergeChange({ repository, id, sha, signal });
    github.quirks.answersLost = 1;
    expect(await failureOf(merge())).toMatchObject({ applied: "unknown" });
    const main = origin.tip("main");
    expect(await merge()).toEqual({ kind: "merged", sha: main });
    expect(origin.tip("main")).toBe(main);
    github.quirks.answersLost = 1;
    expect(await failureOf(issue())).toMatchObject({ applied: "unknown" });
    expect(await issue()).toMatchObject({ id: expect.stringMatching(/^issue\/\d+$/) });
    expect(github.pulls.issues("Acme/desk")).toHaveLength(1);
    expect([/pulls$/, /merge$/, /issues$/].map((path) => countOf(github, path.source === "merge$" ? "PUT" : "POST", path))).toEqual([
      1, 1, 1,
    ]);
  });

  it("is left alone while a limit of GitHub lasts", async () => {
    const bench = await aBench();
    const { merge } = await aHotfix(bench);
    bench.github.quirks.secondaryLimit = { retryAfterS: 60 };
    expect(await failureOf(merge())).toMatchObject({ reason: "overloaded", applied: "no" });
    bench.github.quirks.secondaryLimit = undefined;
    const { length } = bench.github.requests;
    const again = await failureOf(merge());
    expect(again).toMatchObject({ reason: "overloaded", applied: "no" });
    expect(again.retryAfterMs).toBeGreaterThan(30_000);
    expect(bench.github.requests).toHaveLength(length);
  });

  it("of a fork is never the fix, whatever it names", async () => {
    const { origin, github, host } = await aBench();
    origin.commit("fix", { a: "1" });
    github.pulls.openPull("Acme/desk", { branch: "fix", title: "Close CVE-2026-1234", fork: "mallory" });
    const search = { repository, references: ["CVE-2026-1234"], packages: [], signal };
    expect(await host.findFixes(search)).toEqual([]);
    github.pulls.openPull("Acme/desk", { branch: "fix", title: "Close CVE-2026-1234" });
    expect(await host.findFixes(search)).toMatchObject([{ id: "pull/2", branch: "fix" }]);
  });

  it("is not there for a hotfix branch until it is opened", async () => {
    const { origin, host } = await aBench();
    const sha = origin.commit("hotfix/export", { a: "1" }, "Fence it");
    const [fix] = await host.findFixes({ repository, references: [], packages: [], signal });
    expect(fix).toMatchObject({ id: "branch/hotfix/export", opened: false, sha, title: "Fence it", paths: ["a"] });
    expect(await failureOf(host.mergeChange({ repository, id: "branch/hotfix/export", sha, signal }))).toMatchObject({ applied: "no" });
    expect(await host.openChange({ repository, branch: "hotfix/export", title: "t", body: "", signal })).toMatchObject({
      id: "pull/1",
      sha,
    });
  });

  it("of a repository that was renamed is not merged, and the name is asked for", async () => {
    const bench = await aBench();
    const { merge } = await aHotfix(bench);
    bench.github.quirks.movedTo = bench.github.url;
    expect(await failureOf(merge())).toMatchObject({
      reason: "refused_by_target",
      applied: "no",
      message: expect.stringContaining("write its present name into runbookd.yml"),
    });
  });

  it("that was closed is not merged", async () => {
    const bench = await aBench();
    const { merge } = await aHotfix(bench);
    bench.github.pulls.closePull("Acme/desk", 1);
    expect(await merge()).toMatchObject({ kind: "not_mergeable", reason: "pull request 1 was closed" });
  });
});

describe("an alert of code scanning", () => {
  it.each([true, false])("is fixed with the merge, or only after the next analysis (%p)", async (fixedOnlyAfterAnalysis) => {
    const bench = await aBench();
    const { github, client } = bench;
    await github.open("code-scanning");
    const { sha, merge } = await aHotfix(bench);
    bench.fixes.add(sha);
    github.quirks.fixedOnlyAfterAnalysis = fixedOnlyAfterAnalysis;
    const [source] = createGitHubSources(client, { repositories: [repository], kinds: ["code-scanning"] });
    const states = async () => {
      const listed: string[] = [];
      for await (const { state } of source?.list({ since: 0, whole: false, signal }) ?? []) listed.push(state);
      return listed;
    };
    await merge();
    expect(await states()).toEqual([fixedOnlyAfterAnalysis ? "open" : "fixed"]);
    await github.analyze();
    expect(await states()).toEqual(fixedOnlyAfterAnalysis ? ["fixed"] : []);
  });
});

describe("an issue", () => {
  it("is found again among hundreds", async () => {
    const { host, github } = await aBench();
    const issue = { repository, title: "t", body: "b", signal };
    const first = await host.openIssue({ ...issue, key: "first" });
    const numbers = Array.from({ length: 120 }, (_, nth) => nth);
    for (const number of numbers)
      await fetch(`${github.url}/repos/${repository}/issues`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ title: `Other ${number}`, body: "" }),
      });
    expect(await host.openIssue({ ...issue, key: "first" })).toEqual(first);
  });

  it("is refused where issues are disabled, and holds no secret", async () => {
    const { host, github } = await aBench();
    const issue = { repository, title: "t", body: `token ghp_${"a1B2".repeat(9)}`, signal };
    await host.openIssue({ ...issue, key: "first" });
    expect(JSON.stringify(github.pulls.issues("Acme/desk"))).not.toContain("a1B2a1B2");
    github.quirks.issuesDisabled = true;
    expect(await failureOf(host.openIssue({ ...issue, key: "second" }))).toMatchObject({
      reason: "refused_by_target",
      applied: "no",
      message: expect.stringContaining("Issues are disabled"),
    });
  });
});
