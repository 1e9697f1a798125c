import { type Batch, type BatchLimits, batchLimitsSchema } from "../../packages/sdk/src/wire/batches.ts";

/** A batch of ten tickets on queue `fast` that was submitted and has not begun. */
export function aBatch(
  change: Partial<Omit<Batch, "limits" | "counts">> & {
    readonly limits?: Partial<BatchLimits>;
    readonly counts?: Partial<Batch["counts"]>;
  } = {},
): Batch {
  const { limits, counts, ...rest } = change;
  return {
    id: "nightly",
    budget: "checkout",
    queue: "fast",
    state: "open",
    gate: "open",
    reason: "",
    by: "",
    version: 1,
    concurrencyNow: limits?.concurrency ?? null,
    spentMicroUsd: 0,
    reservedMicroUsd: 0,
    kinds: { bug: 10 },
    begun: 0,
    begunEnded: 0,
    led: false,
    fed: 0,
    requests: 0,
    rateLimited: 0,
    revision: 1,
    createdAt: 0,
    ...rest,
    limits: { ...batchLimitsSchema.parse({}), ...limits },
    counts: { queued: 10, running: 0, waiting: 0, succeeded: 0, failed: 0, dead: 0, cancelled: 0, quarantined: 0, ...counts },
  };
}
