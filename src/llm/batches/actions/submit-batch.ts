import { z } from "zod";
import { defineAction } from "../../../actions/define-action.ts";
import { StepFailure } from "../../../core/failure.ts";
import type { BatchControl } from "../batch-control.ts";
import { batchOutput, batchOutputFields } from "./batch-output.ts";
import { batchParameter, describeRefusal, readBatch } from "./batch-target.ts";

/** Makes a draft run. Submitting twice starts nothing twice; its undo is `cancel-batch`, as what has begun cannot be taken back. */
export const submitBatch = defineAction({
  name: "submit-batch",
  summary:
    "Makes a draft run and reserves the 90th percentile of its cost in the same step, or refuses it with the arithmetic; its leading tickets go first.",
  parameters: z.strictObject({ batch: batchParameter() }),
  result: batchOutputFields,
  effect: "set",
  risk: "raises",
  timeoutMs: 30_000,
  probes: true,
  undoes: false,
  behave({ batch: id }, { batches }: { readonly batches: BatchControl }) {
    return {
      async plan() {
        const batch = await readBatch(batches, id);
        const quote = await batches.quote(id);
        const isDraft = batch.state === "draft";
        return {
          summary: isDraft
            ? `Submit batch ${id} with ${batch.progress.tickets} tickets: ${quote?.room.arithmetic ?? "its budget is gone"}`
            : `Batch ${id} is ${batch.state} already`,
          targets: [`batch/${id}`],
          changes: isDraft ? [{ target: `batch/${id}`, field: "state", before: "draft", after: "open" }] : [],
          reversible: false,
          data: null,
        };
      },
      async run() {
        const answer = await batches.submit(id);
        if (answer.kind !== "submitted" && answer.kind !== "joined") {
          throw new StepFailure({ reason: "refused_by_target", message: describeRefusal(id, answer), applied: "no" });
        }
        return { kind: "done", output: batchOutput(await readBatch(batches, id)) };
      },
      async probe() {
        const batch = await readBatch(batches, id);
        return batch.state === "draft" ? { kind: "not_applied" } : { kind: "applied", output: batchOutput(batch) };
      },
    };
  },
});
