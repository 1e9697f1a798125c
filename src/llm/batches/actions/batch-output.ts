import type { BatchView } from "../../../../packages/sdk/src/wire/batches.ts";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { oneUsd } from "../../../core/money.ts";

/** What every action on a batch reports, read back from it. */
export function batchOutput(batch: BatchView): ActionOutput {
  const { counts, progress } = batch;
  return {
    batch: batch.id,
    state: batch.state,
    paused: batch.gate === "paused",
    stopped: batch.stop?.hold ?? "",
    tickets: progress.tickets,
    ended: progress.ended,
    succeeded: counts.succeeded,
    running: counts.running,
    spent_usd: batch.spentMicroUsd / oneUsd,
    reserved_usd: batch.reservedMicroUsd / oneUsd,
  };
}

/** Names and meanings of {@link batchOutput}. */
export const batchOutputFields = {
  batch: "id of the batch",
  state: "draft, open, cancelled or done",
  paused: "whether its gate is closed",
  stopped: "why it admits nothing any more, or empty",
  tickets: "how many it has",
  ended: "how many have ended",
  succeeded: "how many were successful",
  running: "how many are in a worker's hands",
  spent_usd: "what it has cost",
  reserved_usd: "what is still reserved for it",
} as const;
