import type { Redis } from "ioredis";
import { createGitHubClient, gitHubRequestLimits } from "../integrations/github/create-github-client.ts";
import { createGitHubSources } from "../integrations/github/create-github-sources.ts";
import { createGitHubWebhook } from "../integrations/github/github-webhook.ts";
import { createFindingReconciler, findingListTimes } from "../llm/findings/reconcile-findings.ts";
import { createDeliveryLog } from "../llm/findings/redis-deliveries.ts";
import type { ReportFinding } from "../llm/findings/security-source.ts";
import type { ScheduledTask } from "../platform/queue/scheduled-work.ts";
import { createBoundedSender } from "../platform/requests/bounded-request.ts";
import { openFindingIntake, openSecurityFindings } from "./open-security-findings.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** The webhook of GitHub, whose alerts become security findings. */
export function registerGitHub(runtime: Runtime, { redis }: Pick<ServerShared, "redis">): Registration {
  const { config, clock, log } = runtime;
  const webhook = createGitHubWebhook({
    secrets: config.gitHubWebhookSecrets,
    report: reportTo(runtime, redis),
    deliveries: createDeliveryLog(redis),
    clock,
    log,
    storeGate: runtime.store,
  });
  return { endpoints: [webhook] };
}

/** The listing of what no webhook reported, for one process of all; nothing where no repository is named. */
export function scheduleFindingSources(runtime: Runtime, redis: Redis): readonly ScheduledTask[] {
  const { config, clock, log, closers } = runtime;
  if (config.gitHub === undefined) return [];
  const { apiUrl, token, repositories, alerts } = config.gitHub;
  const sender = createBoundedSender(gitHubRequestLimits, { clock });
  closers.add("github client", async () => sender.close());
  const store = openSecurityFindings(runtime, redis);
  const divided = (ms: number) => Math.max(1000, ms / config.timeFactor);
  const reconciler = createFindingReconciler({
    sources: createGitHubSources(createGitHubClient(sender, { apiUrl, token }, clock), { repositories, kinds: alerts }),
    store,
    report: reportTo(runtime, redis),
    clock,
    log,
    wholeMs: divided(findingListTimes.wholeMs),
  });
  return [
    { name: "finding-sources", intervalMs: divided(findingListTimes.intervalMs), run: async (signal) => reconciler.reconcile(signal) },
  ];
}

function reportTo(runtime: Runtime, redis: Redis): ReportFinding {
  const intake = openFindingIntake(runtime, redis);
  return async (finding) => {
    const [result] = await intake.take([finding]);
    if (result === undefined) throw new Error("The intake gave no result for a finding.");
    return result;
  };
}
