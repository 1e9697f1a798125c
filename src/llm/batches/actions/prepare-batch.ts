import { z } from "zod";
import { defineAction } from "../../../actions/define-action.ts";
import { StepFailure } from "../../../core/failure.ts";
import { oneUsd } from "../../../core/money.ts";
import type { BatchControl } from "../batch-control.ts";
import { batchParameter, readBatch } from "./batch-target.ts";

/** What a draft will probably cost, and whether its budget has room for it. Its tickets were proven when they were handed in. */
export const prepareBatch = defineAction({
  name: "prepare-batch",
  summary: "Estimates a batch from tickets of the same kinds and compares that with what its budget has left.",
  parameters: z.strictObject({ batch: batchParameter() }),
  result: {
    batch: "id of the batch",
    state: "draft, open, cancelled or done",
    tickets: "how many it has",
    p50_usd: "median of the whole",
    p90_usd: "90th percentile of the whole; this is reserved",
    assumed_kinds: "kinds of which too few tickets have ended, so that their cost is assumed",
    fits: "whether the budget has room, or has reserved it already",
    share: "the reservation as a share of what the budget has left",
    arithmetic: "the comparison in one sentence",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 10_000,
  probes: false,
  undoes: false,
  behave({ batch: id }, { batches }: { readonly batches: BatchControl }) {
    return {
      async plan() {
        return { summary: `Estimate batch ${id}`, targets: [`batch/${id}`], changes: [], reversible: true, data: null };
      },
      async run() {
        const batch = await readBatch(batches, id);
        const quote = await batches.quote(id);
        if (quote === undefined) {
          throw new StepFailure({
            reason: "refused_by_target",
            message: `The budget ${batch.budget} of batch ${id} is gone.`,
            applied: "no",
          });
        }
        const { estimate, room } = quote;
        const isDraft = batch.state === "draft";
        return {
          kind: "done",
          output: {
            batch: id,
            state: batch.state,
            tickets: estimate.tickets,
            p50_usd: estimate.p50MicroUsd / oneUsd,
            p90_usd: estimate.p90MicroUsd / oneUsd,
            assumed_kinds: estimate.kinds.filter(({ from }) => from === "prior").map(({ kind }) => kind),
            fits: !isDraft || (room.fits && estimate.tickets > 0),
            share: isDraft ? room.shareOfRemaining : 0,
            arithmetic: isDraft ? room.arithmetic : `It is ${batch.state}; what it needs was reserved when it was submitted.`,
          },
        };
      },
    };
  },
});
