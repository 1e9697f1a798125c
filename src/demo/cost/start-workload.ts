import { join } from "node:path";
import type { StartedProcess } from "../process-group.ts";
import type { Stage } from "../scenario.ts";
import { waitUntil } from "../wait-until.ts";
import type { CostPlan } from "./cost-plan.ts";

/** Defines the budget, starts the application that spends it, and resolves when the application has called the model. It understands `{release}`. */
export async function startWorkload({ system, services, folder, clock, signal }: Stage, plan: CostPlan): Promise<StartedProcess> {
  const { budget: id, limitMicroUsd, periodMs } = plan;
  // The period began long enough ago that a burn over the longest window lies inside it.
  await system.api.defineBudget({ id, limitMicroUsd, periodMs, periodStartsAt: clock.now() - Math.round(periodMs / 10) });
  const workload = services.group.start({
    name: "workload",
    program: process.execPath,
    args: [join(services.projectRoot, "dist/src/demo/cost/ticket-host.js")],
    messages: true,
    env: {
      REDIS_URL: system.redisUrl,
      RUNBOOKD_URL: system.runbookdUrl,
      RUNBOOKD_TOKEN: system.workloadToken,
      MODEL_URL: system.model.url,
      DEMO_WORK: folder.work,
      DEMO_EVIDENCE: folder.evidence,
      DEMO_BUDGET: plan.budget,
      DEMO_QUEUE: plan.queue,
      DEMO_CONCURRENCY: String(plan.concurrency),
      DEMO_TICKET_EVERY_MS: String(plan.ticketEveryMs),
    },
  });
  await Promise.race([
    waitUntil(clock, "The workload called no model", async () => (system.model.stats().requests > 0 ? true : undefined), {
      withinMs: 15_000,
      signal,
    }),
    workload.gone.then((how) => {
      throw new Error(`The workload ${how}. The end of ${workload.logFile}:\n${workload.tail()}`);
    }),
  ]);
  return workload;
}
