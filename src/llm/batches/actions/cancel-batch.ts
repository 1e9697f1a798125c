import { z } from "zod";
import { defineAction } from "../../../actions/define-action.ts";
import { shortLine } from "../../../core/one-line.ts";
import type { BatchControl } from "../batch-control.ts";
import { batchOutput, batchOutputFields } from "./batch-output.ts";
import { batchParameter, describeRemaining } from "./batch-target.ts";
import { plannedBatch } from "./planned-batch.ts";

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
    return plannedBatch(batches, id, {
      after: () => ({ state: "cancelled" }),
      summary: (batch, changes) =>
        changes.length === 0 ? `Batch ${id} is cancelled already` : `Cancel batch ${id}: ${describeRemaining(batch)}`,
      reason: () => shortLine(reason, 200),
      reversible: false,
      undoes: false,
      output: batchOutput,
    });
  },
});
