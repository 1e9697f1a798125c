import { z } from "zod";
import { defineAction } from "../../../actions/define-action.ts";
import { shortLine } from "../../../core/one-line.ts";
import type { BatchControl } from "../batch-control.ts";
import { batchOutput, batchOutputFields } from "./batch-output.ts";
import { batchParameter, describeRemaining } from "./batch-target.ts";
import { plannedBatch } from "./planned-batch.ts";

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
  undoes: false,
  behave({ batch: id, reason }, { batches }: { readonly batches: BatchControl }) {
    return plannedBatch(batches, id, {
      after: () => ({ gate: "paused" }),
      summary: (batch, changes) =>
        changes.length === 0 ? `Batch ${id} is paused already` : `Pause batch ${id}: ${describeRemaining(batch)}`,
      reason: () => shortLine(reason, 200),
      reversible: true,
      undoes: false,
      output: batchOutput,
    });
  },
});
