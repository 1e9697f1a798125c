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
  restorePlannedBatch,
  setPlannedBatch,
} from "./planned-batch.ts";

/** Closes one batch's own gate; `pause-batches` closes the gate of a whole budget. */
export const pauseBatch = defineAction({
  name: "pause-batch",
  summary: "Lets nothing of one batch begin or go on until it is resumed; tickets in flight stop at their next turn with their work saved.",
  parameters: z.strictObject({
    batch: batchParameter(),
    reason: z.string().min(1).meta({ description: "Shown to everybody who asks for admission." }),
  }),
  result: batchOutputFields,
  effect: "set",
  risk: "lowers",
  timeoutMs: 10_000,
  probes: true,
  undoes: true,
  behave({ batch: id, reason }, { batches }: { readonly batches: BatchControl }) {
    return {
      async plan({ runId }) {
        const batch = await readBatch(batches, id);
        const after = { gate: "paused" } as const;
        return {
          summary: holdsFields(batch, after)
            ? `Batch ${id} is paused already`
            : `Pause batch ${id}: ${batch.progress.tickets - batch.progress.ended} tickets have not ended`,
          targets: [`batch/${id}`],
          changes: batchChanges(batch, after),
          reversible: true,
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
      async undo(plan) {
        await restorePlannedBatch(batches, plannedBatchOf(plan));
      },
    };
  },
});
