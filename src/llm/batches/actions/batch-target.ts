import { z } from "zod";
import type { BatchView } from "../../../../packages/sdk/src/wire/batches.ts";
import { externalIdSchema } from "../../../../packages/sdk/src/wire/names.ts";
import { StepFailure } from "../../../core/failure.ts";
import type { BatchControl, SubmitAnswer } from "../batch-control.ts";

/** Exactly one batch by its id; empty never means all. */
export function batchParameter() {
  return externalIdSchema.meta({ description: "Id of one batch." });
}

/** One batch by its id, or the batches of one queue that are not through. */
export const batchOrQueue = {
  batch: z
    .union([z.literal(""), externalIdSchema])
    .default("")
    .meta({ description: "Id of one batch; empty when a queue is named." }),
  queue: z
    .string()
    .regex(/^[a-z0-9-]{0,40}$/, "must be the name of one queue")
    .default("")
    .meta({ description: "Name of one queue: its batches that are not through." }),
};

/** More batches than these are not one person's look any more. */
const maxBatches = 10;

/** Reads one batch; throws StepFailure when there is none of that id. */
export async function readBatch(batches: Pick<BatchControl, "get">, id: string): Promise<BatchView> {
  const batch = await batches.get(id);
  if (batch !== undefined) return batch;
  throw new StepFailure({
    reason: "invalid_parameters",
    message: `There is no batch ${id}; \`runbookd batches list\` names them.`,
    applied: "no",
  });
}

/** How much of a batch is still to come, for people. */
export function describeRemaining({ progress }: BatchView): string {
  return `${progress.tickets - progress.ended} tickets have not ended`;
}

/** The explicit ids that a step is about; throws StepFailure when neither a batch nor a queue is named, and when there are too many. */
export async function batchesOf(
  batches: Pick<BatchControl, "get" | "activeOn">,
  { batch, queue }: { readonly batch: string; readonly queue: string },
): Promise<readonly string[]> {
  if (batch !== "") return [(await readBatch(batches, batch)).id];
  if (queue === "")
    throw new StepFailure({ reason: "invalid_parameters", message: "Neither a batch nor a queue is named.", applied: "no" });
  const ids = await batches.activeOn(queue);
  if (ids.length <= maxBatches) return ids;
  throw new StepFailure({
    reason: "invalid_parameters",
    message: `Queue ${queue} has ${ids.length} batches that are not through; at most ${maxBatches} are looked at together. Name one.`,
    applied: "no",
  });
}

/** Why a submission was refused, in one sentence. */
export function describeRefusal(id: string, answer: Exclude<SubmitAnswer, { kind: "submitted" | "joined" }>): string {
  switch (answer.kind) {
    case "refused":
      return `The budget has no room for batch ${id}: ${answer.arithmetic}`;
    case "not_draft":
      return `Batch ${id} is ${answer.state} and no draft.`;
    case "changed":
      return `Batch ${id} grew to ${answer.tickets} tickets while it was estimated.`;
    case "missing":
      return `There is no batch ${id}.`;
    case "no_budget":
      return `The budget of batch ${id} is gone.`;
  }
}
