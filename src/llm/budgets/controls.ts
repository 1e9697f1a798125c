import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { type BudgetControls, type BudgetLimits, budgetLimitsSchema } from "../../../packages/sdk/src/wire/budgets.ts";
import type { ControlsChange } from "./budget.ts";

/** Nothing is limited. */
export const noLimits: BudgetLimits = {
  concurrency: null,
  ratePerMinute: null,
  perTicketCapMicroUsd: null,
  perMinuteCapMicroUsd: null,
  maxAttempts: null,
};

/** What a new budget starts with. */
export const openControls: Omit<BudgetControls, "version"> = { gate: "open", reason: "", by: "", limits: noLimits };

/** Controls without their version, as they are stored. */
export const controlsSchema = z.strictObject({
  gate: z.enum(["open", "paused"]),
  reason: z.string().max(300),
  by: z.string().max(200),
  pausedUntil: z.int().optional(),
  stopBefore: z.int().optional(),
  limits: budgetLimitsSchema,
});

/** The controls after a change: a field that is absent stays, null removes. Texts are cut to what is stored. */
export function applyChange(current: Omit<BudgetControls, "version">, change: ControlsChange): Omit<BudgetControls, "version"> {
  const { pausedUntil, stopBefore, ...otherControls } = { ...current, ...change };
  return {
    ...otherControls,
    reason: otherControls.reason.slice(0, 300),
    by: otherControls.by.slice(0, 200),
    ...(typeof pausedUntil === "number" ? { pausedUntil } : {}),
    ...(typeof stopBefore === "number" ? { stopBefore } : {}),
  };
}

/** Whether a change, or an equal one of somebody else, is in the controls already. */
export function hasChange(controls: BudgetControls, change: ControlsChange): boolean {
  const { version: _, ...current } = controls;
  return isDeepStrictEqual(applyChange(current, change), applyChange(current, {}));
}
