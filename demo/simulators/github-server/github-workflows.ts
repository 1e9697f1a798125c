import type { GitHubCodeOptions } from "./github-pulls.ts";
import { type GitHubAnswer, type GitHubRoute, gitHubNotFound, pageOfList, textOf } from "./github-route.ts";

/** What a workflow is given. */
export interface GitHubWorkflowCall {
  readonly repository: string;
  readonly event: "workflow_dispatch" | "deployment";
  /** The commit that it works on. */
  readonly sha: string;
  /** Of the work that it belongs to. */
  readonly key: string;
}

/** How a workflow ended; `status`: what it posted on the commit before. */
export interface GitHubWorkflowEnd {
  readonly conclusion: "success" | "failure" | "cancelled" | "timed_out";
  readonly status?: { readonly context: string; readonly description: string };
}

/** A workflow file: what a runner does with it. */
export type GitHubWorkflow = (call: GitHubWorkflowCall) => Promise<GitHubWorkflowEnd> | GitHubWorkflowEnd;

/** One run of a workflow. */
export interface GitHubRun {
  readonly id: number;
  readonly file: string;
  readonly call: GitHubWorkflowCall;
  status: "queued" | "waiting" | "in_progress" | "completed";
  conclusion: string | null;
}

/** Workflows, their runs and deployments. */
export interface GitHubWorkflows {
  readonly routes: readonly GitHubRoute[];
  readonly runs: readonly GitHubRun[];
  readonly deployments: readonly { readonly sha: string; readonly task: string }[];
  /** A person lets a run that waits for an environment go on. */
  approve(id: number): void;
  /** A person cancels a run that has not ended. */
  cancel(id: number): void;
  /** A person starts a run again that has ended: it keeps its id. */
  rerun(id: number): void;
}

interface Status {
  readonly sha: string;
  readonly context: string;
  readonly description: string;
}

/** A GitHub's runners, which begin at once unless an environment holds them. `workflows`: by file. */
export function createGitHubWorkflows(
  { find, quirks, base, now }: GitHubCodeOptions,
  workflows: Readonly<Record<string, GitHubWorkflow>>,
): GitHubWorkflows {
  const runs: (GitHubRun & { readonly at: string; listsMissed: number })[] = [];
  const deployments: { readonly id: number; readonly sha: string; readonly task: string; readonly at: string }[] = [];
  const statuses: Status[] = [];

  function begin(file: string, call: GitHubWorkflowCall): GitHubRun {
    const run = {
      id: 1000 + runs.length,
      file,
      call,
      status: "queued" as GitHubRun["status"],
      conclusion: null,
      at: now(),
      listsMissed: 0,
    };
    runs.push(run);
    start(run);
    return run;
  }

  function start(run: GitHubRun): void {
    run.conclusion = null;
    if (quirks.environmentHolds === undefined) void work(run);
    else run.status = "waiting";
  }

  async function work(run: GitHubRun): Promise<void> {
    run.status = "in_progress";
    const end = await (workflows[run.file]?.(run.call) ?? { conclusion: "failure" as const });
    if (end.status !== undefined) statuses.unshift({ sha: run.call.sha, ...end.status });
    run.conclusion = end.conclusion;
    run.status = "completed";
  }

  const shown = (name: string, run: (typeof runs)[number]) => ({
    id: run.id,
    name: run.file,
    display_title: `${run.file} ${run.call.key}`,
    event: run.call.event,
    status: run.status,
    conclusion: run.conclusion,
    created_at: run.at,
    html_url: `https://github.example/${name}/actions/runs/${run.id}`,
  });

  function dispatch(name: string, file: string, body: Readonly<Record<string, unknown>>): GitHubAnswer {
    const code = find(name);
    if (code === undefined || !Object.hasOwn(workflows, file)) return gitHubNotFound;
    const wantsDetails = body["return_run_details"] === true;
    if (wantsDetails && quirks.dispatchAnswer === "refuses details")
      return { status: 422, body: { message: '"return_run_details" is not a permitted key.' } };
    if (code.git.tip(textOf(body, "ref")) === undefined)
      return { status: 422, body: { message: `No ref found for: ${textOf(body, "ref")}` } };
    const inputs = inputsOf(body);
    const run = begin(file, {
      repository: name,
      event: "workflow_dispatch",
      sha: textOf(inputs, "sha"),
      key: textOf(inputs, "runbookd_key"),
    });
    const lost = takeLoss();
    if (!wantsDetails || quirks.dispatchAnswer !== "details") return { status: 204, body: "", lost };
    return { status: 200, body: { workflow_run_id: run.id, run_url: `${base()}/repos/${name}/actions/runs/${run.id}` }, lost };
  }

  function takeLoss(): boolean {
    if (quirks.answersLost <= 0) return false;
    quirks.answersLost -= 1;
    return true;
  }

  /** `auto_merge` is true, and every status of the commit is required, unless the request says otherwise. */
  function deploy(name: string, body: Readonly<Record<string, unknown>>): GitHubAnswer {
    const sha = textOf(body, "ref");
    if (body["auto_merge"] !== false || quirks.autoMergesAnyway)
      return { status: 202, body: { message: `Auto-merged main into ${sha} on deployment.` } };
    if (!Array.isArray(body["required_contexts"]) || body["required_contexts"].length > 0)
      return { status: 409, body: { message: "Conflict: Commit status checks failed for main.", errors: [] } };
    const deployment = { id: 1 + deployments.length, sha, task: textOf(body, "task"), at: now() };
    deployments.push(deployment);
    for (const file of Object.keys(workflows))
      if (quirks.deploymentStarts === file) begin(file, { repository: name, event: "deployment", sha, key: deployment.task });
    return { status: 201, body: deployment, lost: takeLoss() };
  }

  const repository = String.raw`^/repos/([^/]+/[^/]+)`;
  const route = (method: string, path: string, handle: GitHubRoute["handle"]): GitHubRoute => ({
    method,
    path: new RegExp(`${repository}${path}$`),
    handle: (groups, url, body) => (find(groups[0] ?? "") === undefined ? gitHubNotFound : handle(groups, url, body)),
  });
  const runOf = (id: string | undefined) => runs.find((run) => run.id === Number(id));

  const routes: readonly GitHubRoute[] = [
    route("POST", "/actions/workflows/([^/]+)/dispatches", ([name = "", file = ""], _url, body) => dispatch(name, file, body)),
    route("GET", "/actions/workflows/([^/]+)/runs", ([name = "", file = ""], url) => {
      const wanted = url.searchParams.get("event");
      const listed = runs.filter((run) => {
        if (run.file !== file || (wanted !== null && run.call.event !== wanted)) return false;
        run.listsMissed += 1;
        return run.listsMissed > quirks.runsListedLate;
      });
      const all = pageOfList(
        listed.toReversed().map((run) => shown(name, run)),
        url,
        base(),
      );
      return { ...all, body: { total_count: listed.length, workflow_runs: all.body } };
    }),
    route("GET", String.raw`/actions/runs/(\d+)`, ([name = "", id]) => {
      const run = runOf(id);
      return run === undefined ? gitHubNotFound : { status: 200, body: shown(name, run) };
    }),
    route("GET", String.raw`/actions/runs/(\d+)/pending_deployments`, ([_name, id]) => {
      const run = runOf(id);
      if (run === undefined) return gitHubNotFound;
      const environment = { id: 1, name: quirks.environmentHolds ?? "", html_url: "https://github.example/environments/1" };
      return { status: 200, body: run.status === "waiting" ? [{ environment, current_user_can_approve: true, reviewers: [] }] : [] };
    }),
    route("POST", String.raw`/actions/runs/(\d+)/pending_deployments`, () => {
      throw new Error("Only a person approves an environment.");
    }),
    route("GET", "/deployments", ([_name], url) => {
      const [sha, task] = [url.searchParams.get("sha"), url.searchParams.get("task")];
      const listed = deployments.filter((one) => (sha === null || one.sha === sha) && (task === null || one.task === task));
      return pageOfList(listed.toReversed(), url, base());
    }),
    route("POST", "/deployments", ([name = ""], _url, body) => deploy(name, body)),
    route("GET", "/commits/([0-9a-f]{40})/statuses", ([_name, sha], url) =>
      pageOfList(
        statuses.filter((status) => status.sha === sha),
        url,
        base(),
      ),
    ),
  ];

  return {
    routes,
    runs,
    deployments,
    approve(id) {
      const run = runs.find((one) => one.id === id);
      if (run?.status === "waiting") void work(run);
    },
    cancel(id) {
      const run = runs.find((one) => one.id === id);
      if (run === undefined || run.status === "completed") return;
      run.status = "completed";
      run.conclusion = "cancelled";
    },
    rerun(id) {
      const run = runs.find((one) => one.id === id);
      if (run?.status === "completed") start(run);
    },
  };
}

function inputsOf(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { inputs } = body;
  return typeof inputs === "object" && inputs !== null ? Object.fromEntries(Object.entries(inputs)) : {};
}
