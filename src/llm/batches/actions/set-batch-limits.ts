import { z } from "zod";
import type { BatchLimits, BatchView } from "../../../../packages/sdk/src/wire/batches.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { durationParameter, millisecondsOf } from "../../../actions/parameter-types.ts";
import { StepFailure } from "../../../core/failure.ts";
import { oneUsd } from "../../../core/money.ts";
import type { BatchControl } from "../batch-control.ts";
import { batchOutput, batchOutputFields } from "./batch-output.ts";
import { batchParameter } from "./batch-target.ts";
import { plannedBatch } from "./planned-batch.ts";

const usd = (description: string) => z.number().min(0).max(1_000_000).optional().meta({ description });
const count = (description: string) => z.number().int().positive().max(1_000_000).optional().meta({ description });

/** Sets limits of one batch; what is not named stays. The gate of every worker process follows from the next admission on. */
export const setBatchLimits = defineAction({
  name: "set-batch-limits",
  summary:
    "Sets limits of one batch: cost, cost per ticket, concurrency, rate, deadline, failures and the leading group; what is not named stays.",
  parameters: z.strictObject({
    batch: batchParameter(),
    max_cost_usd: usd("Most that the whole batch may cost."),
    per_ticket_usd: usd("A ticket that has cost more stops at its next turn."),
    concurrency: z.number().int().min(1).max(10_000).optional().meta({ description: "Tickets at once." }),
    rate_per_minute: count("Tickets that may begin per minute."),
    deadline: durationParameter("No ticket begins later than so long after the plan.").optional(),
    max_failure_ratio: z.number().min(0).max(1).optional().meta({ description: "Share of failed tickets at which it stops itself." }),
    min_for_ratio: count("Tickets that must have ended before the share counts."),
    leading: z.number().int().min(0).max(1000).optional().meta({ description: "Tickets that go first." }),
  }),
  result: { ...batchOutputFields, raised: "whether a limit lets more happen than before" },
  effect: "set",
  risk: "raises",
  timeoutMs: 10_000,
  probes: true,
  undoes: true,
  behave(parameters, { batches }: { readonly batches: BatchControl }) {
    const { batch: id } = parameters;
    const limitsAfter = ({ limits }: BatchView, now: number): BatchLimits => ({
      maxCostMicroUsd: microUsd(parameters.max_cost_usd) ?? limits.maxCostMicroUsd,
      perTicketCapMicroUsd: microUsd(parameters.per_ticket_usd) ?? limits.perTicketCapMicroUsd,
      concurrency: parameters.concurrency ?? limits.concurrency,
      ratePerMinute: parameters.rate_per_minute ?? limits.ratePerMinute,
      deadlineAt: parameters.deadline === undefined ? limits.deadlineAt : now + millisecondsOf(parameters.deadline),
      maxFailureRatio: parameters.max_failure_ratio ?? limits.maxFailureRatio,
      minForRatio: parameters.min_for_ratio ?? limits.minForRatio,
      pilotTickets: parameters.leading ?? limits.pilotTickets,
    });
    return plannedBatch(batches, id, {
      after(batch, now) {
        if (Object.keys(parameters).length === 1) {
          throw new StepFailure({ reason: "invalid_parameters", message: "No limit is named.", applied: "no" });
        }
        return { limits: limitsAfter(batch, now) };
      },
      summary: (_batch, changes) =>
        changes.length === 0 ? `Batch ${id} has these limits already` : `Set ${changes.length} limits of batch ${id}`,
      reason: (runId) => `limits by run ${runId}`,
      reversible: true,
      undoes: true,
      output: (batch, { limits }) => ({ ...batchOutput(batch), raised: limits !== undefined && raises(limits, batch.limits) }),
    });
  },
});

function microUsd(amount: number | undefined): number | undefined {
  return amount === undefined ? undefined : Math.round(amount * oneUsd);
}

/** Whether one of the limits lets more happen than before. */
function raises(before: BatchLimits, after: BatchLimits): boolean {
  const more = (a: number | null, b: number | null) => a !== null && (b === null || b > a);
  return (
    more(before.maxCostMicroUsd, after.maxCostMicroUsd) ||
    more(before.perTicketCapMicroUsd, after.perTicketCapMicroUsd) ||
    more(before.concurrency, after.concurrency) ||
    more(before.ratePerMinute, after.ratePerMinute) ||
    more(before.deadlineAt, after.deadlineAt) ||
    after.maxFailureRatio > before.maxFailureRatio ||
    after.pilotTickets < before.pilotTickets
  );
}
