import { z } from "zod";
import type { ActionContext } from "../../core/action.ts";
import { shortCommit } from "../../core/commit-id.ts";
import { StepFailure } from "../../core/failure.ts";
import type { Feature } from "../../core/feature.ts";
import { sha256 } from "../../core/json.ts";
import { shortLine } from "../../core/one-line.ts";
import type { Deployer, RunningVersion } from "./deployer.ts";
import { commonVersion, judgeVersions } from "./judge-versions.ts";
import { nextDeploymentMove } from "./next-deployment-move.ts";
import { noWork, pollWork, workProgressSchema } from "./poll-work.ts";

/** What a deployment keeps from call to call. */
export const deploymentProgressSchema = z.object({
  /** `put_back` deploys the release before again; `settle` and `settle_back` wait for the processes. */
  phase: z.enum(["deploy", "settle", "put_back", "settle_back"]),
  /** When the phase began. */
  since: z.number(),
  /** Names of the processes that ran before. */
  before: z.array(z.string()),
  work: workProgressSchema,
  /** Names of the processes at the last look, in the order of their addresses; absent before the first one. */
  lastInstances: z.array(z.string()).exactOptional(),
  /** Why the last deployer failed; absent: it did not. */
  failure: z.string().exactOptional(),
  url: z.string(),
  headline: z.string(),
  sentence: z.string(),
});

/** See {@link deploymentProgressSchema}. */
export type DeploymentProgress = z.output<typeof deploymentProgressSchema>;

/** What is to be deployed. */
export interface DeploymentOrder {
  readonly feature: Feature;
  readonly sha: string;
  /** Release that runs before; undefined: it is not certain which, and none can be put back. */
  readonly previous: string | undefined;
  /** Time that processes have to come up, in milliseconds. */
  readonly withinMs: number;
}

/** Where a deployment is after one call. `ended`: the processes say the rest; without `deployed` they say nothing that counts. */
export type AdvancedDeployment =
  | { readonly kind: "running"; readonly afterMs: number; readonly progress: DeploymentProgress }
  | {
      readonly kind: "ended";
      readonly versions: readonly RunningVersion[];
      readonly deployed: boolean;
      readonly putBack: boolean;
      readonly reason: string;
      readonly url: string;
    };

type Call = Pick<ActionContext, "clock" | "signal" | "idempotencyKey">;

/** Looks at the processes within the time that they have. */
const polls = 30;
const minPollMs = 250;
const maxPollMs = 10_000;
const maxSentence = 400;

/**
 * Looks at the processes before anything is deployed. The answer must be recorded first: without it a process that was there before cannot be told from a new
 * one after a crash.
 */
export async function beginDeployment(deployer: Deployer, feature: Feature, { clock, signal }: Call): Promise<DeploymentProgress> {
  const versions = await deployer.readVersions(feature, signal);
  const before = versions.flatMap(({ instance }) => instance ?? []);
  return { phase: "deploy", since: clock.now(), before, work: noWork, url: "", headline: "", sentence: "" };
}

/**
 * Does the next thing. What it does was recorded by the call before, so that after a crash the same call goes on with the same work.
 * @throws StepFailure when the deployer failed and every process still runs the release before.
 */
export async function advanceDeployment(
  deployer: Deployer,
  order: DeploymentOrder,
  { progress, call }: { readonly progress: DeploymentProgress; readonly call: Call },
): Promise<AdvancedDeployment> {
  const deployment: Deployment = { deployer, order, progress, call };
  switch (progress.phase) {
    case "deploy":
      return deploy(deployment, { sha: order.sha, key: call.idempotencyKey, next: "settle" });
    case "settle":
      return settle(deployment);
    case "put_back":
      return deploy(deployment, { sha: order.previous ?? "", key: sha256(`${call.idempotencyKey} put back`), next: "settle_back" });
    case "settle_back":
      return settleBack(deployment);
  }
}

interface Deployment {
  readonly deployer: Deployer;
  readonly order: DeploymentOrder;
  readonly progress: DeploymentProgress;
  readonly call: Call;
}

async function deploy(
  { deployer, order: { feature }, progress, call }: Deployment,
  { sha, key, next }: { readonly sha: string; readonly key: string; readonly next: "settle" | "settle_back" },
): Promise<AdvancedDeployment> {
  const ended = { phase: next, since: call.clock.now(), work: noWork } as const;
  try {
    const polled = await pollWork(async (one) => deployer.deploy(feature, sha, one), { key, work: progress.work, signal: call.signal });
    if (polled.kind === "running")
      return { kind: "running", afterMs: polled.afterMs, progress: { ...progress, work: polled.work, sentence: polled.sentence } };
    const { sha: deployed, url = progress.url } = polled.result;
    const failure = deployed === sha ? undefined : `It says that it has deployed ${shortCommit(deployed)}.`;
    return running({ ...progress, ...ended, url, ...(failure !== undefined && { failure }) });
  } catch (error) {
    // What was cut off goes on with the same work; what failed may have left a part behind, and the processes say which.
    if (call.signal.aborted || !(error instanceof StepFailure)) throw error;
    return running({ ...progress, ...ended, failure: shortLine(error.failure.message, maxSentence) });
  }
}

async function settle({ deployer, order, progress, call }: Deployment): Promise<AdvancedDeployment> {
  const { feature, sha, previous, withinMs } = order;
  const versions = await deployer.readVersions(feature, call.signal);
  const judgement = judgeVersions(versions, sha, progress.before);
  const now = call.clock.now();
  const instances = versions.map(({ instance = "" }) => instance);
  const steady = progress.lastInstances?.join("\n") === instances.join("\n");
  const { since, failure } = progress;
  const move = nextDeploymentMove({ now, since, withinMs, versions, judgement, steady, previous, failure });
  switch (move.kind) {
    case "wait":
      return running({ ...progress, lastInstances: instances, sentence: move.sentence }, pollMsOf(withinMs));
    case "put_back": {
      const { failure: _failure, ...others } = progress;
      return running({ ...others, phase: "put_back", since: now, work: noWork, headline: move.sentence });
    }
    case "unchanged":
      throw new StepFailure({ reason: "refused_by_target", message: move.sentence, applied: "no" });
    case "deployed":
    case "stuck":
      return { kind: "ended", versions, deployed: move.kind === "deployed", putBack: false, reason: move.sentence, url: progress.url };
  }
}

async function settleBack({ deployer, order: { feature, previous, withinMs }, progress, call }: Deployment): Promise<AdvancedDeployment> {
  const versions = await deployer.readVersions(feature, call.signal);
  const isBack = previous !== undefined && commonVersion(versions) === previous;
  const isOver = progress.failure !== undefined || call.clock.now() - progress.since >= withinMs;
  if (!isBack && !isOver) return running({ ...progress, sentence: "Waiting for the release before." }, pollMsOf(withinMs));
  const end = isBack
    ? `Every process runs ${shortCommit(previous)} again.`
    : `The release before did not come back: ${progress.failure ?? "the time for it is over"}`;
  return { kind: "ended", versions, deployed: false, putBack: isBack, reason: `${progress.headline} ${end}`, url: progress.url };
}

function running(progress: DeploymentProgress, afterMs = 0): AdvancedDeployment {
  return { kind: "running", afterMs, progress };
}

function pollMsOf(withinMs: number): number {
  return Math.min(maxPollMs, Math.max(minPollMs, Math.round(withinMs / polls)));
}
