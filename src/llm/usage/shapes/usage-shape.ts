import type { UsageShape } from "../../../../packages/sdk/src/wire/usage.ts";
import type { Vendor } from "../provider-vendor.ts";
import type { ClaimedUsage, PartitionResult, UsageAnomalyResult } from "../token-partition.ts";
import type { UsageSource } from "../usage-source.ts";

/** What a shape knows besides the object. */
export interface ReadContext {
  readonly provider: string;
  readonly vendor: Vendor;
  /** Reads a usage object that lies inside another. */
  normalize(usage: unknown): PartitionResult;
}

/** How one provider or library writes usage. */
export interface ShapeReader {
  readonly shape: UsageShape;
  /** Members that the shape always has. */
  readonly needs: readonly string[];
  /** Vendors whose usage comes in it; any when absent. */
  readonly vendors?: readonly Vendor[];
  /** Vendors whose usage never comes in it. */
  readonly notFrom?: readonly Vendor[];
  /** Reads every member that it has a meaning for. What remains unread is an anomaly. */
  read(source: UsageSource, context: ReadContext): ClaimedUsage | UsageAnomalyResult;
}
