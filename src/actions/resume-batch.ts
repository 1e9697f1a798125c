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

/** Opens one batch's own gate; its budget's gate stays as it is. */
export const resumeBatch = defineAction({
  name: "resume-batch",
  summary: "Lets one batch go on where it stood; its budget's gate stays as it is.",
  parameters: z.strictObject({
    batch: batchParameter(),
    reason: z.string().min(1).default("resumed by a runbook").meta({ description: "Shown to everybody who asks for admission." }),
  }),
  result: batchOutputFields,
  effect: "set",
  risk: "raises",
  timeoutMs: 10_000,
  probes: true,
  undoes: true,
  behave({ batch: id, reason }, { batches }: { readonly batches: BatchControl }) {
    return {
      async plan({ runId }) {
        const batch = await readBatch(batches, id);
        const after = { gate: "open" } as const;
        return {
          summary: holdsFields(batch, after)
            ? `Batch ${id} is open already`
            : `Resume batch ${id}: ${batch.progress.tickets - batch.progress.ended} tickets have not ended`,
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
