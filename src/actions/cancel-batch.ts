import { z } from "zod";
import type { BatchControl } from "../workload/batch-control.ts";
import { batchParameter, readBatch } from "./batch-target.ts";
import { defineAction } from "./define-action.ts";
import { oneLine } from "./one-line.ts";
import {
  batchChanges,
  batchOutput,
  batchOutputFields,
  holdsFields,
  plannedBatch,
  plannedBatchOf,
  setPlannedBatch,
} from "./planned-batch.ts";

/** Ends one batch for good. */
export const cancelBatch = defineAction({
  name: "cancel-batch",
  summary: "Ends one batch for good: what waits is cancelled, what is in flight stops at its next turn with its work saved.",
  parameters: z.strictObject({
    batch: batchParameter(),
    reason: z.string().min(1).meta({ description: "Shown to everybody who asks for admission." }),
  }),
  result: batchOutputFields,
  effect: "set",
  risk: "lowers",
  timeoutMs: 10_000,
  probes: true,
  undoes: false,
  behave({ batch: id, reason }, { batches }: { readonly batches: BatchControl }) {
    return {
      async plan({ runId }) {
        const batch = await readBatch(batches, id);
        const after = { state: "cancelled" } as const;
        return {
          summary: holdsFields(batch, after)
            ? `Batch ${id} is cancelled already`
            : `Cancel batch ${id}: ${batch.progress.tickets - batch.progress.ended} tickets have not ended`,
          targets: [`batch/${id}`],
          changes: batchChanges(batch, after),
          reversible: false,
          data: plannedBatch(batch, after, oneLine(reason, 200), `run:${runId}`),
        };
      },
      async run(plan) {
        const planned = plannedBatchOf(plan);
        const batch = await readBatch(batches, id);
        return { kind: "done", output: batchOutput(holdsFields(batch, planned.after) ? batch : await setPlannedBatch(batches, planned)) };
      },
      async probe(plan) {
        const batch = await readBatch(batches, id);
        return holdsFields(batch, plannedBatchOf(plan).after) ? { kind: "applied", output: batchOutput(batch) } : { kind: "not_applied" };
      },
    };
  },
});
