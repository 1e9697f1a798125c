import type { StartedProcess } from "../process-group.ts";
import type { ScenarioContext } from "../scenario.ts";
import { startApplication, untilModelCalled } from "../start-application.ts";
import type { CostPlan } from "./cost-plan.ts";

/** Defines the budget, starts the application that spends it, and resolves when the application has called the model. It understands `{release}`. */
export async function startWorkload(context: ScenarioContext, plan: CostPlan): Promise<StartedProcess> {
  const { system, folder, clock } = context;
  const { budget: id, limitMicroUsd, periodMs } = plan;
  // The period began long enough ago that a burn over the longest window lies inside it.
  await system.api.defineBudget({ id, limitMicroUsd, periodMs, periodStartsAt: clock.now() - Math.round(periodMs / 10) });
  const workload = startApplication(context, {
    name: "workload",
    module: "cost/ticket-host",
    env: {
      DEMO_WORK: folder.work,
      DEMO_EVIDENCE: folder.evidence,
      DEMO_BUDGET: plan.budget,
      DEMO_QUEUE: plan.queue,
      DEMO_CONCURRENCY: String(plan.concurrency),
      DEMO_TICKET_EVERY_MS: String(plan.ticketEveryMs),
    },
  });
  await untilModelCalled(context, workload);
  return workload;
}
