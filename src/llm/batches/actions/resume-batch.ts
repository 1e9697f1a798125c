import { z } from "zod";
import { defineAction } from "../../../actions/define-action.ts";
import { shortLine } from "../../../core/one-line.ts";
import type { BatchControl } from "../batch-control.ts";
import { batchOutput, batchOutputFields } from "./batch-output.ts";
import { batchParameter, describeRemaining } from "./batch-target.ts";
import { plannedBatch } from "./planned-batch.ts";

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
    return plannedBatch(batches, id, {
      after: () => ({ gate: "open" }),
      summary: (batch, changes) =>
        changes.length === 0 ? `Batch ${id} is open already` : `Resume batch ${id}: ${describeRemaining(batch)}`,
      reason: () => shortLine(reason, 200),
      reversible: true,
      undoes: true,
      output: batchOutput,
    });
  },
});
