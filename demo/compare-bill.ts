import type { ModelCall } from "./simulators/model-server/model-call.ts";

/** An event of our usage, as far as a bill has it too. */
export interface BilledUsage {
  /** The provider's id of the request. */
  readonly id: string;
  readonly costMicroUsd: number;
}

/** The provider's bill beside what was reported, request by request. Money in micro-USD. */
export interface BillComparison {
  /** Of requests that were reported: what the provider billed and what we counted. */
  readonly billedMicroUsd: number;
  readonly countedMicroUsd: number;
  /** Requests that the provider billed and that were not reported, because their process was killed. */
  readonly unreportedRequests: number;
  readonly unreportedMicroUsd: number;
}

/** Compares the provider's calls with our events by the ids of the requests. */
export function compareBill(
  calls: readonly Pick<ModelCall, "requestId" | "costMicroUsd">[],
  events: readonly BilledUsage[],
): BillComparison {
  const counted = new Map(events.map(({ id, costMicroUsd }) => [id, costMicroUsd]));
  const sum = { billedMicroUsd: 0, countedMicroUsd: 0, unreportedRequests: 0, unreportedMicroUsd: 0 };
  for (const { requestId, costMicroUsd } of calls) {
    const ours = counted.get(requestId);
    if (ours !== undefined) {
      sum.billedMicroUsd += costMicroUsd;
      sum.countedMicroUsd += ours;
    } else if (costMicroUsd > 0) {
      sum.unreportedRequests += 1;
      sum.unreportedMicroUsd += costMicroUsd;
    }
  }
  return sum;
}

/** Ours and the provider's cost must agree within this share. */
export const billTolerance = 0.005;

/** How far ours is from what the provider billed, as a share of that; undefined when nothing was billed. */
export function differenceFromBill(ours: number | undefined, billed: number | undefined): number | undefined {
  return ours === undefined || billed === undefined || billed <= 0 ? undefined : Math.abs(ours - billed) / billed;
}
