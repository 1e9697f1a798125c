import { z } from "zod";
import { endStates } from "../../../../packages/sdk/src/wire/tickets.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { oneUsd } from "../../../core/money.ts";
import type { BatchControl } from "../batch-control.ts";
import { batchParameter, readBatch } from "./batch-target.ts";

/** Adds a batch up: every ticket in one final state, nothing reserved any more, and the cost within its limit. */
export const reconcileBatch = defineAction({
  name: "reconcile-batch",
  summary: "Adds a batch up: every ticket in exactly one final state, nothing reserved any more, the cost within its limit.",
  parameters: z.strictObject({ batch: batchParameter() }),
  result: {
    batch: "id of the batch",
    tickets: "how many it has",
    ended: "how many are in a final state",
    by_state: "tickets by final state",
    reserved_usd: "what is still reserved for it",
    spent_usd: "what it has cost",
    within_limit: "whether that is within its limit",
    per_success_usd: "cost of one successful ticket, the others' included; null without one",
    settled: "whether every ticket has ended and nothing is reserved",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 10_000,
  probes: true,
  undoes: false,
  behave({ batch: id }, { batches }: { readonly batches: BatchControl }) {
    const readOutput = async () => {
      const { counts, progress, spentMicroUsd, reservedMicroUsd, limits } = await readBatch(batches, id);
      return {
        batch: id,
        tickets: progress.tickets,
        ended: progress.ended,
        by_state: Object.fromEntries(endStates.map((state) => [state, counts[state]])),
        reserved_usd: reservedMicroUsd / oneUsd,
        spent_usd: spentMicroUsd / oneUsd,
        within_limit: limits.maxCostMicroUsd === null || spentMicroUsd <= limits.maxCostMicroUsd,
        per_success_usd: counts.succeeded === 0 ? null : spentMicroUsd / counts.succeeded / oneUsd,
        settled: progress.ended === progress.tickets && reservedMicroUsd === 0,
      };
    };
    return {
      async plan() {
        return { summary: `Add batch ${id} up`, targets: [`batch/${id}`], changes: [], reversible: true, data: null };
      },
      async run() {
        return { kind: "done", output: await readOutput() };
      },
      async probe() {
        return { kind: "applied", output: await readOutput() };
      },
    };
  },
});
