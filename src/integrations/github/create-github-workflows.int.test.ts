import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { startGitHub } from "../../../demo/simulators/github-server/github-server.ts";
import type { GitHubWorkflow } from "../../../demo/simulators/github-server/github-workflows.ts";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { aBareOrigin } from "../../../test/servers/bare-origin.ts";
import { createSystemClock } from "../../core/clock.ts";
import { StepFailure } from "../../core/failure.ts";
import type { Feature } from "../../core/feature.ts";
import type { LongWork, LongWorkCall } from "../../core/long-work.ts";
import { createBoundedSender } from "../../platform/requests/bounded-request.ts";
import { createGitHubClient, gitHubRequestLimits } from "./create-github-client.ts";
import { createGitHubWorkflows } from "./create-github-workflows.ts";

const repository = "acme/desk";
const feature: Feature = {
  name: "export",
  flags: [],
  budgets: [],
  keys: [],
  paths: [],
  versionUrls: [],
  repository,
  codeHost: "github",
  tests: { kind: "workflow", file: "test.yml" },
  deployment: { kind: "workflow", file: "deploy.yml" },
};

let root: string;
const releases: (() => Promise<void>)[] = [];
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "runbookd-workflows-")));
});
afterEach(async () => {
  for (const release of releases.splice(0).toReversed()) await release();
  rmSync(root, { recursive: true, force: true });
});

const passing: GitHubWorkflow = ({ key }) => ({
  conclusion: "success",
  status: { context: `runbookd/${key}`, description: "passed=6 failed=0 skipped=1" },
});

async function aBench(workflows: Readonly<Record<string, GitHubWorkflow>> = {}) {
  const origin = aBareOrigin(root);
  const sha = origin.commit("hotfix/export", { a: "1" });
  const clock = createFakeClock(Date.UTC(2026, 10, 30, 8));
  const token = "github_pat_of_a_test";
  const github = await startGitHub({
    token,
    clock,
    repositories: [{ name: repository, private: true, path: origin.path }],
    workflows: { "test.yml": passing, "deploy.yml": () => ({ conclusion: "success" }), ...workflows },
  });
  const sender = createBoundedSender(gitHubRequestLimits, { clock: createSystemClock() });
  releases.push(
    async () => github[Symbol.asyncDispose](),
    async () => sender.close(),
  );
  const client = createGitHubClient(sender, { apiUrl: github.url, token }, clock);
  const open = () => createGitHubWorkflows(client, clock);

  /** As the engine calls: again with the progress of before, after the time that was asked for. */
  async function follow<Result>(
    ask: (call: LongWorkCall) => Promise<LongWork<Result>>,
    { from, calls = 60 }: { readonly from?: Json; readonly calls?: number } = {},
  ) {
    let progress = from;
    const sentences: string[] = [];
    for (let call = 0; call < calls; call += 1) {
      const work = await ask({ key: "run-1 step-8", progress, signal: new AbortController().signal });
      if (work.kind === "done") return { result: work.result, sentences, progress };
      progress = JSON.parse(JSON.stringify(work.progress));
      sentences.push(work.sentence);
      await clock.advance(work.afterMs);
    }
    return { result: undefined, sentences, progress };
  }
  const posts = () => github.requests.filter(({ method }) => method === "POST").map(({ path }) => path.split("/").at(-1));
  return { github, clock, sha, open, follow, posts, workflows: open() };
}

type Bench = Awaited<ReturnType<typeof aBench>>;
const testsOf =
  ({ workflows, sha }: Pick<Bench, "workflows" | "sha">) =>
  async (call: LongWorkCall) =>
    workflows.tests.test(feature, sha, call);
const deployOf =
  ({ workflows, sha }: Pick<Bench, "workflows" | "sha">) =>
  async (call: LongWorkCall) =>
    workflows.deployer.deploy(feature, sha, call);

async function failureOf(work: Promise<unknown>) {
  const end = await work.then(
    (value: unknown) => value,
    (error: unknown) => error,
  );
  if (!(end instanceof StepFailure)) throw new Error(`Nothing was refused: ${JSON.stringify(end)}`);
  return end.failure;
}

describe("a workflow that tests", () => {
  it.each(["details", "bare", "refuses details"] as const)("is started once where a dispatch is answered with %s", async (answer) => {
    const bench = await aBench();
    bench.github.quirks.dispatchAnswer = answer;
    const { result } = await bench.follow(testsOf(bench));
    expect(result).toEqual({ sha: bench.sha, passed: 6, failed: 0, skipped: 1, url: expect.stringContaining("/actions/runs/") });
    expect(bench.github.workflows.runs).toMatchObject([{ call: { sha: bench.sha, event: "workflow_dispatch" } }]);
  });

  it("is recognized although GitHub lists its run late", async () => {
    const bench = await aBench();
    bench.github.quirks.dispatchAnswer = "bare";
    bench.github.quirks.runsListedLate = 3;
    expect((await bench.follow(testsOf(bench))).result).toMatchObject({ passed: 6 });
    expect(bench.github.workflows.runs).toHaveLength(1);
  });

  it("is started once when the answer is lost with the process", async () => {
    const bench = await aBench();
    bench.github.quirks.runsListedLate = 2;
    const { progress } = await bench.follow(testsOf(bench), { calls: 1 });
    bench.github.quirks.answersLost = 1;
    const cut = { key: "run-1 step-8", progress, signal: new AbortController().signal };
    expect(await failureOf(testsOf(bench)(cut))).toMatchObject({ applied: "unknown" });
    expect(bench.github.workflows.runs).toHaveLength(1);
    const other = { ...bench, workflows: bench.open() };
    expect((await bench.follow(testsOf(other), { ...(progress !== undefined && { from: progress }) })).result).toMatchObject({ passed: 6 });
    expect(bench.github.workflows.runs).toHaveLength(1);
  });

  it("is started by another process when the first one died before it asked", async () => {
    const bench = await aBench();
    const { progress } = await bench.follow(testsOf(bench), { calls: 1 });
    expect(bench.posts()).toEqual([]);
    const other = { ...bench, workflows: bench.open() };
    expect((await bench.follow(testsOf(other), { ...(progress !== undefined && { from: progress }) })).result).toMatchObject({ passed: 6 });
    expect(bench.github.workflows.runs).toHaveLength(1);
  });

  it("says that no run has the key when its run-name does not hold it", async () => {
    const bench = await aBench();
    bench.github.quirks.dispatchAnswer = "bare";
    bench.github.quirks.runsListedLate = 10_000;
    expect(await failureOf(bench.follow(testsOf(bench)))).toMatchObject({
      reason: "unknown_outcome",
      message: expect.stringContaining("run-name"),
    });
    expect(bench.github.workflows.runs).toHaveLength(1);
  });

  it("reports tests that failed, and nothing where it says nothing", async () => {
    const status = (key: string, description: string) => ({ status: { context: `runbookd/${key}`, description } });
    const failing = await aBench({ "test.yml": ({ key }) => ({ conclusion: "failure", ...status(key, "passed=4 failed=2") }) });
    expect((await failing.follow(testsOf(failing))).result).toMatchObject({ passed: 4, failed: 2, skipped: 0 });
    for (const end of [
      () => ({ conclusion: "success" as const }),
      () => ({ conclusion: "success" as const, ...status("another", "passed=6 failed=0") }),
      ({ key }: { readonly key: string }) => ({ conclusion: "success" as const, ...status(key, "all is well") }),
      ({ key }: { readonly key: string }) => ({ conclusion: "failure" as const, ...status(key, "passed=6 failed=0") }),
      ({ key }: { readonly key: string }) => ({ conclusion: "timed_out" as const, ...status(key, "passed=3 failed=1") }),
      () => ({ conclusion: "cancelled" as const }),
    ]) {
      rmSync(join(root, "origin.git"), { recursive: true });
      const bench = await aBench({ "test.yml": end });
      expect(await failureOf(bench.follow(testsOf(bench)))).toMatchObject({ reason: "refused_by_target", applied: "no" });
    }
  });

  it("is followed to the end of what a person has started again, and shows nothing while it is cancelled", async () => {
    const bench = await aBench();
    bench.github.quirks.environmentHolds = "tests";
    const { progress } = await bench.follow(testsOf(bench), { calls: 5 });
    const again = async () => bench.follow(testsOf(bench), { calls: 5, ...(progress !== undefined && { from: progress }) });
    const { id = 0 } = bench.github.workflows.runs[0] ?? {};
    bench.github.workflows.cancel(id);
    expect(await failureOf(again())).toMatchObject({ reason: "refused_by_target", message: expect.stringContaining("cancelled") });
    bench.github.workflows.rerun(id);
    expect((await again()).result).toBeUndefined();
    bench.github.workflows.approve(id);
    expect((await again()).result).toMatchObject({ sha: bench.sha, passed: 6 });
    expect(bench.github.workflows.runs).toHaveLength(1);
  });

  it("does not take counts of an earlier attempt for those of one that broke off", async () => {
    let attempts = 0;
    const bench = await aBench({
      "test.yml": ({ key }) => {
        attempts += 1;
        const status = { context: `runbookd/${key}`, description: "passed=6 failed=0" };
        return attempts === 1 ? { conclusion: "success", status } : { conclusion: "failure" };
      },
    });
    const { progress, result } = await bench.follow(testsOf(bench));
    expect(result).toMatchObject({ passed: 6 });
    bench.github.workflows.rerun(bench.github.workflows.runs[0]?.id ?? 0);
    const again = bench.follow(testsOf(bench), { ...(progress !== undefined && { from: progress }) });
    expect(await failureOf(again)).toMatchObject({ message: expect.stringContaining("did not come to their end") });
  });

  it("is not started while a limit of GitHub lasts, and once afterwards", async () => {
    const bench = await aBench();
    bench.github.quirks.secondaryLimit = { retryAfterS: 90 };
    expect(await failureOf(bench.follow(testsOf(bench)))).toMatchObject({ reason: "overloaded", applied: "no", retryAfterMs: 90_000 });
    bench.github.quirks.secondaryLimit = undefined;
    expect(await failureOf(bench.follow(testsOf(bench)))).toMatchObject({ reason: "overloaded" });
    expect(bench.posts()).toEqual([]);
    await bench.clock.advance(90_000);
    expect((await bench.follow(testsOf(bench))).result).toMatchObject({ passed: 6 });
    expect(bench.github.workflows.runs).toHaveLength(1);
  });

  it("is refused where there is none of this name", async () => {
    const bench = await aBench();
    const other = { ...feature, tests: { kind: "workflow", file: "nothing.yml" } as const };
    const ask = async (call: LongWorkCall) => bench.workflows.tests.test(other, bench.sha, call);
    expect(await failureOf(bench.follow(ask))).toMatchObject({ reason: "refused_by_target", applied: "no" });
  });
});

describe("a workflow that deploys", () => {
  it("begins with one deployment of exactly the commit, which merges nothing", async () => {
    const bench = await aBench();
    const { result } = await bench.follow(deployOf(bench));
    expect(result).toEqual({ sha: bench.sha, url: expect.stringContaining("/actions/runs/") });
    expect(bench.github.workflows.deployments).toMatchObject([{ sha: bench.sha }]);
    expect(bench.github.workflows.runs).toMatchObject([{ call: { sha: bench.sha, event: "deployment" } }]);
  });

  it("waits, visibly, until a person has approved the environment, and approves nothing", async () => {
    const bench = await aBench();
    bench.github.quirks.environmentHolds = "production";
    const { result, sentences, progress } = await bench.follow(deployOf(bench), { calls: 10 });
    expect(result).toBeUndefined();
    expect(sentences.at(-1)).toContain('waits until a person approves the environment "production" at GitHub: https://github.example/');
    expect(bench.posts()).toEqual(["deployments"]);
    bench.github.workflows.approve(bench.github.workflows.runs[0]?.id ?? 0);
    expect((await bench.follow(deployOf(bench), { ...(progress !== undefined && { from: progress }) })).result).toMatchObject({
      sha: bench.sha,
    });
  });

  it("is one when the answer is lost with the process", async () => {
    const bench = await aBench();
    bench.github.quirks.deploymentStarts = undefined;
    const { progress } = await bench.follow(deployOf(bench), { calls: 1 });
    bench.github.quirks.answersLost = 1;
    const cut = { key: "run-1 step-8", progress, signal: new AbortController().signal };
    expect(await failureOf(deployOf(bench)(cut))).toMatchObject({ applied: "unknown" });
    const other = { ...bench, workflows: bench.open() };
    await failureOf(bench.follow(deployOf(other), { ...(progress !== undefined && { from: progress }) }));
    expect(bench.github.workflows.deployments).toHaveLength(1);
  });

  it("is a fault when GitHub merges instead", async () => {
    const bench = await aBench();
    bench.github.quirks.autoMergesAnyway = true;
    expect(await failureOf(bench.follow(deployOf(bench)))).toMatchObject({
      // A call of unknown outcome would be made again, and would merge again.
      reason: "refused_by_target",
      applied: "unknown",
      message: expect.stringContaining("merged the default branch"),
    });
    expect(bench.posts()).toEqual(["deployments"]);
  });

  it("that a person cancels leaves open how much is deployed, and is followed when it is started again", async () => {
    const bench = await aBench();
    bench.github.quirks.environmentHolds = "production";
    const { progress } = await bench.follow(deployOf(bench), { calls: 5 });
    const again = async () => bench.follow(deployOf(bench), { calls: 5, ...(progress !== undefined && { from: progress }) });
    const { id = 0 } = bench.github.workflows.runs[0] ?? {};
    bench.github.workflows.cancel(id);
    expect(await failureOf(again())).toMatchObject({ applied: "unknown", message: expect.stringContaining("ended with cancelled") });
    bench.github.workflows.rerun(id);
    bench.github.workflows.approve(id);
    expect((await again()).result).toMatchObject({ sha: bench.sha });
    expect(bench.github.workflows.deployments).toHaveLength(1);
  });

  it("that fails leaves open how much is deployed", async () => {
    const bench = await aBench({ "deploy.yml": () => ({ conclusion: "failure" }) });
    expect(await failureOf(bench.follow(deployOf(bench)))).toMatchObject({ reason: "refused_by_target", applied: "unknown" });
  });
});
