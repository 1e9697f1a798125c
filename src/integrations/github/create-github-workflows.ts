import { z } from "zod";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { Clock } from "../../core/clock.ts";
import { minuteMs } from "../../core/duration.ts";
import { StepFailure } from "../../core/failure.ts";
import type { CommitJob, Feature } from "../../core/feature.ts";
import { sha256 } from "../../core/json.ts";
import type { LongWork, LongWorkCall } from "../../core/long-work.ts";
import { shortLine } from "../../core/one-line.ts";
import type { Deployer, DeploymentResult } from "../../llm/releases/deployer.ts";
import type { TestResult, TestRunner } from "../../llm/releases/test-runner.ts";
import type { GitHubClient } from "./create-github-client.ts";
import { pageOf, repositoryShape } from "./github-code-shapes.ts";
import { orStepFailure, statusFailure } from "./github-failure.ts";

/** Tests and deployments that workflows of GitHub carry out. */
export interface GitHubWorkflows {
  readonly tests: TestRunner;
  readonly deployer: Pick<Deployer, "deploy">;
}

/** https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run */
const runShape = z.object({
  id: z.int().min(1),
  display_title: z.string(),
  status: z.string(),
  conclusion: z.string().nullable(),
  html_url: z.string().optional(),
});
type Run = z.output<typeof runShape>;
const runsShape = z.object({ workflow_runs: z.array(z.unknown()) });
const dispatchedShape = z.object({ workflow_run_id: z.int().min(1) });
const pendingShape = z.array(z.object({ environment: z.object({ name: z.string() }) }));
const deploymentShape = z.object({ id: z.int().min(1), task: z.string() });
const statusShape = z.object({ context: z.string(), description: z.string().nullish() });

/** How far the work is: it is about to be asked for, it was asked for, or its run is known. */
const progressSchema = z.discriminatedUnion("step", [
  z.object({ step: z.literal("asking"), at: z.number() }),
  z.object({ step: z.literal("asked"), at: z.number() }),
  z.object({ step: z.literal("running"), run: z.number() }),
]);
type Progress = z.output<typeof progressSchema>;

/** GitHub lists a new run some seconds after it was asked for: how long one is looked for that a process which died may have asked for. */
const searchMs = 20_000;
/** How long one is looked for that was certainly asked for. */
const listedWithinMs = 2 * minuteMs;
const maxAsking = 1000;
const everyMs = 5000;
const personEveryMs = 15_000;
const maxRunPages = 3;

/**
 * Tests begin by `workflow_dispatch` of the workflow on the default branch, with the inputs `sha` and `runbookd_key`; deployments by a deployment of exactly
 * the commit, whose `task` is the key, for a workflow `on: deployment`. The `run-name` of both holds the key, by which a run is recognized. Neither call is
 * repeated before GitHub has said that there is no run and no deployment of this key. What a person has to approve there is never approved here.
 */
export function createGitHubWorkflows(client: GitHubClient, clock: Pick<Clock, "now">): GitHubWorkflows {
  // What this process has said that it is about to ask for; what is not in it may have been sent by one that died.
  const asking = new Set<string>();
  const read = async <Value>(shape: z.ZodType<Value>, path: string, { what, signal }: Asked): Promise<Value> => {
    const parsed = shape.safeParse(await orStepFailure(client.read(path, signal), { what, reads: true, now: clock.now() }));
    if (parsed.success) return parsed.data;
    throw new StepFailure({
      reason: "not_reachable",
      message: `GitHub answered something that cannot be read for ${what}.`,
      applied: "no",
    });
  };
  const readList = async <Value>(shape: z.ZodType<Value>, path: string, { what, signal }: Asked): Promise<readonly Value[]> =>
    (await read(z.array(z.unknown()), path, { what, signal })).flatMap((item) => shape.safeParse(item).data ?? []);

  async function findRun({ repository, file, key, event, signal }: Job): Promise<Run | undefined> {
    for (let page = 1; page <= maxRunPages; page += 1) {
      const path = `/repos/${repository}/actions/workflows/${encodeURIComponent(file)}/runs?event=${event}&per_page=100&page=${page}`;
      const { workflow_runs: listed } = await read(runsShape, path, { what: `the runs of ${file}`, signal });
      const runs = listed.flatMap((item) => runShape.safeParse(item).data ?? []);
      const run = runs.find(({ display_title: title }) => title.includes(key));
      if (run !== undefined || listed.length < 100) return run;
    }
    return undefined;
  }

  /** Without the id where GitHub does not tell it. */
  async function dispatch({ repository, file, sha, key, signal }: Job): Promise<number | undefined> {
    const { default_branch: ref } = await read(repositoryShape, `/repos/${repository}`, { what: `repository ${repository}`, signal });
    const path = `/repos/${repository}/actions/workflows/${encodeURIComponent(file)}/dispatches`;
    const what = `the start of workflow ${file}`;
    const body = { ref, inputs: { sha, runbookd_key: key } };
    const send = async (details: object) =>
      orStepFailure(client.write({ method: "POST", path, body: { ...body, ...details }, signal }), {
        what,
        reads: false,
        now: clock.now(),
      });
    const first = await send({ return_run_details: true });
    // A server that does not know the member refuses the whole request, so that nothing was started.
    const written = first.status === 422 ? await send({}) : first;
    if (written.status === 204) return undefined;
    const id = written.status === 200 ? dispatchedShape.safeParse(written.json).data?.workflow_run_id : undefined;
    if (written.status !== 200) throw statusFailure(written, { what, reads: false });
    return id;
  }

  async function deployOnce({ repository, sha, key, signal }: Job): Promise<undefined> {
    const what = `the deployment of ${sha.slice(0, 12)}`;
    const query = new URLSearchParams({ sha, task: key });
    const existing = await readList(deploymentShape, `/repos/${repository}/deployments?${query.toString()}`, { what, signal });
    if (existing.some(({ task }) => task === key)) return;
    // By default GitHub merges the default branch into the commit, and wants every check of it to have passed.
    const body = { ref: sha, task: key, auto_merge: false, required_contexts: [], description: "Deployed by runbookd" };
    const request = { method: "POST", path: `/repos/${repository}/deployments`, body, signal } as const;
    const written = await orStepFailure(client.write(request), { what, reads: false, now: clock.now() });
    if (written.status === 201) return;
    // Asked again, it would merge again.
    if (written.status === 202)
      throw new StepFailure({
        reason: "refused_by_target",
        message: `GitHub merged the default branch instead of deploying ${sha.slice(0, 12)}, although it was told not to. Look at the repository before anything is deployed.`,
        applied: "unknown",
      });
    throw statusFailure(written, { what, reads: false });
  }

  /** The next step of the work, up to the run's end. */
  async function advance(
    job: Job,
    progress: Progress | undefined,
    begin: (job: Job) => Promise<number | undefined>,
  ): Promise<LongWork<Run>> {
    const now = clock.now();
    const { file, key, signal, repository } = job;
    if (progress?.step === "running") return follow(job, progress.run);
    const run = await findRun(job);
    if (run !== undefined) return follow(job, run.id);
    if (progress?.step === "asked") {
      if (now - progress.at < listedWithinMs)
        return running(progress, { afterMs: everyMs, sentence: `GitHub does not list a run of ${file} yet.` });
      throw new StepFailure({
        reason: "unknown_outcome",
        message: `Workflow ${file} of ${repository} was started ${Math.round((now - progress.at) / 1000)} s ago, and no run of it has ${key} in its name. Does its run-name hold the key?`,
        applied: "unknown",
      });
    }
    if (progress === undefined || !asking.delete(`${key} ${progress.at}`)) {
      const isSearching = progress !== undefined && now - progress.at < searchMs;
      if (isSearching)
        return running(progress, { afterMs: everyMs, sentence: `A run of ${file} that may have been started is looked for.` });
      if (asking.size >= maxAsking) asking.clear();
      asking.add(`${key} ${now}`);
      return running({ step: "asking", at: now }, { afterMs: 0, sentence: `Workflow ${file} is about to be started.` });
    }
    signal.throwIfAborted();
    const id = await begin(job);
    const sentence = `Workflow ${file} was started.`;
    return running(id === undefined ? { step: "asked", at: now } : { step: "running", run: id }, { afterMs: everyMs, sentence });
  }

  async function follow({ repository, file, signal }: Job, id: number): Promise<LongWork<Run>> {
    const path = `/repos/${repository}/actions/runs/${id}`;
    const run = await read(runShape, path, { what: `run ${id} of ${file}`, signal });
    if (run.status === "completed") return { kind: "done", result: run };
    const page = pageOf(run.html_url).url ?? "its page at GitHub";
    if (run.status !== "waiting")
      return running(
        { step: "running", run: id },
        { afterMs: everyMs, sentence: `Workflow ${file} is ${shortLine(run.status, 30)}: ${page}` },
      );
    const pending = await read(pendingShape, `${path}/pending_deployments`, { what: `what run ${id} waits for`, signal });
    const names = pending.map(({ environment }) => `"${shortLine(environment.name, 60)}"`).join(", ");
    const sentence = `Workflow ${file} waits until a person approves the environment ${names === "" ? "that it uses" : names} at GitHub: ${page}`;
    return running({ step: "running", run: id }, { afterMs: personEveryMs, sentence });
  }

  async function countsOf({ repository, sha, key, signal }: Job): Promise<Counts | undefined> {
    const path = `/repos/${repository}/commits/${sha}/statuses?per_page=100`;
    const statuses = await readList(statusShape, path, { what: `the statuses of ${sha.slice(0, 12)}`, signal });
    const status = statuses.find(({ context }) => context === `runbookd/${key}`);
    return status && readCounts(status.description ?? "");
  }

  return {
    tests: {
      async test(feature, sha, call): Promise<LongWork<TestResult>> {
        const job = jobOf(feature.tests, { feature, sha, call, event: "workflow_dispatch" });
        const ended = await advance(job, progressOf(call), dispatch);
        if (ended.kind === "running") return ended;
        const { conclusion, html_url: url } = ended.result;
        const counts = await countsOf(job);
        const failure = testFault(job, conclusion, counts);
        if (counts === undefined || failure !== undefined)
          throw new StepFailure({ reason: "refused_by_target", message: failure ?? "", applied: "no" });
        return { kind: "done", result: { sha, ...counts, ...pageOf(url) } };
      },
    },
    deployer: {
      async deploy(feature, sha, call): Promise<LongWork<DeploymentResult>> {
        const job = jobOf(feature.deployment, { feature, sha, call, event: "deployment" });
        const ended = await advance(job, progressOf(call), deployOnce);
        if (ended.kind === "running") return ended;
        const { conclusion, html_url: url } = ended.result;
        if (conclusion === "success") return { kind: "done", result: { sha, ...pageOf(url) } };
        const message = `Workflow ${job.file} ended with ${shortLine(conclusion ?? "nothing", 40)}; how much of ${sha.slice(0, 12)} is deployed is not certain.`;
        throw new StepFailure({ reason: "refused_by_target", message, applied: "unknown" });
      },
    },
  };
}

interface Asked {
  readonly what: string;
  readonly signal: AbortSignal;
}

interface Job {
  readonly repository: string;
  readonly file: string;
  readonly event: "workflow_dispatch" | "deployment";
  readonly sha: string;
  /** Names the work in inputs, tasks, run names and statuses. */
  readonly key: string;
  readonly signal: AbortSignal;
}

type Counts = Pick<TestResult, "passed" | "failed" | "skipped">;

function jobOf(
  job: CommitJob | undefined,
  {
    feature,
    sha,
    call,
    event,
  }: { readonly feature: Feature; readonly sha: string; readonly call: LongWorkCall; readonly event: Job["event"] },
): Job {
  const { repository, name } = feature;
  if (job?.kind !== "workflow" || repository === undefined)
    throw new StepFailure({
      reason: "invalid_parameters",
      message: `Feature ${name} names no workflow and repository for this.`,
      applied: "no",
    });
  return { repository, file: job.file, event, sha, key: `rb-${sha256(call.key).slice(0, 20)}`, signal: call.signal };
}

function progressOf({ progress }: LongWorkCall): Progress | undefined {
  return progressSchema.safeParse(progress).data;
}

function running(progress: Progress, { afterMs, sentence }: { readonly afterMs: number; readonly sentence: string }) {
  const kept: Json = progress;
  return { kind: "running", afterMs, progress: kept, sentence } as const;
}

/** `passed=6 failed=0 skipped=0`, the last of them where there are any. */
function readCounts(description: string): Counts | undefined {
  const [, passed, failed, skipped = "0"] = /^passed=(\d{1,7}) failed=(\d{1,7})(?: skipped=(\d{1,7}))?$/.exec(description.trim()) ?? [];
  return passed === undefined ? undefined : { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) };
}

/** Why the end of the tests cannot be believed. */
function testFault({ file, key, sha }: Job, conclusion: string | null, counts: Counts | undefined): string | undefined {
  const ended = `Workflow ${file} ended with ${shortLine(conclusion ?? "nothing", 40)}`;
  if (counts === undefined)
    return `${ended}, and posted no status runbookd/${key} with passed=… failed=… skipped=… on ${sha.slice(0, 12)}: nothing says what was tested.`;
  if (conclusion === "success" || (conclusion === "failure" && counts.failed > 0)) return undefined;
  return `${ended}, although it says that ${counts.failed} tests failed: the tests did not come to their end.`;
}
