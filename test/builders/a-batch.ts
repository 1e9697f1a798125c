import { type Batch, type BatchLimits, type BatchView, batchLimitsSchema } from "../../packages/sdk/src/wire/batches.ts";

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
    pilotPassed: false,
    enqueued: 0,
    requests: 0,
    rateLimited: 0,
    revision: 1,
    createdAt: 0,
    ...rest,
    limits: { ...batchLimitsSchema.parse({}), ...limits },
    counts: { queued: 10, running: 0, waiting: 0, succeeded: 0, failed: 0, dead: 0, cancelled: 0, quarantined: 0, ...counts },
  };
}

/** The same as the server shows it: none of its ten tickets has ended. */
export function aBatchView(
  change: Parameters<typeof aBatch>[0] & { readonly progress?: Partial<BatchView["progress"]>; readonly stop?: BatchView["stop"] } = {},
): BatchView {
  const { progress, stop = null, ...batch } = change;
  return {
    ...aBatch(batch),
    progress: { tickets: 10, ended: 0, succeeded: 0, perMinute: null, etaAt: null, forecastMicroUsd: 0, ...progress },
    stop,
  };
}
