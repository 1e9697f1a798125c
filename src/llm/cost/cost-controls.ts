import type { CostFactor } from "../../../packages/sdk/src/wire/costs.ts";
import { formatUsd } from "../../core/money.ts";
import { formatShare } from "../../core/share.ts";

/** A rise, as far as limits can hold it. Money in micro-USD. */
export interface CostRise {
  readonly factor: CostFactor;
  /** How many times what it was the factor is now, see `FactorChange`. */
  readonly times: number;
  readonly costMicroUsd: number;
  /** Cost of where the factor rose; the rest stays as it is. */
  readonly segmentCostMicroUsd: number;
  readonly durationMs: number;
  readonly allowanceMicroUsdPerSecond: number;
}

/** Limits that follow from the factor behind a rise; they only lower. */
export interface CostControls {
  /** Share of the concurrency and rate that ran before, 0.1 to 1. */
  readonly scale: number;
  /** Absent: attempts are not what rose. */
  readonly maxAttempts?: number;
  /** What an hour of the same work would cost with `maxAttempts`, before `scale`. */
  readonly predictedMicroUsdPerHour: number;
  readonly because: string;
}

/** Where no limit reaches the factor itself, half of the volume is held back until a person has decided. */
const precaution = 0.5;
const minScale = 0.1;
const hourSeconds = 3600;

/**
 * Limits by what rose: attempts are limited to one, as the work is not what became more; everything else is held by volume.
 * The controlled plan is tried on the window's own work: what it would cost then must fit the allowance, or the volume is scaled until it does.
 */
export function decideCostControls(rise: CostRise): CostControls {
  const { factor, times, costMicroUsd, segmentCostMicroUsd, durationMs, allowanceMicroUsdPerSecond: allowance } = rise;
  const retries = factor === "attempts_per_ticket";
  const avoidedMicroUsd = retries && times > 1 ? segmentCostMicroUsd * (1 - 1 / times) : 0;
  const perSecond = Math.max(0, costMicroUsd - avoidedMicroUsd) / (durationMs / 1000);
  const fits = perSecond <= allowance;
  const maxScale = retries ? 1 : precaution;
  const scale = fits ? maxScale : Math.min(maxScale, Math.max(minScale, Math.floor((100 * allowance) / perSecond) / 100));
  const predicted = Math.round(perSecond * hourSeconds);
  const work = `${retries ? "With one attempt per ticket the" : "The"} same work costs ${formatUsd(predicted)} an hour, and the plan allows ${formatUsd(Math.round(allowance * hourSeconds))}`;
  const volume = scale === 1 ? "so the volume may stay" : `so ${formatShare(scale, { decimals: 0 })} of the volume goes on`;
  return { scale, ...(retries && { maxAttempts: 1 }), predictedMicroUsdPerHour: predicted, because: `${work}, ${volume}.` };
}
