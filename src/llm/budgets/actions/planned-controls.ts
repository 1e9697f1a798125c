import { z } from "zod";
import type { BudgetControls, BudgetLimits, BudgetState } from "../../../../packages/sdk/src/wire/budgets.ts";
import { canonicalJson } from "../../../../packages/sdk/src/wire/json.ts";
import type { Change, Plan } from "../../../../packages/sdk/src/wire/plans.ts";
import { StepFailure } from "../../../core/failure.ts";
import type { BudgetControl, ControlsChange } from "../budget.ts";

const amount = z.number().nullable();
const fieldsSchema = z.strictObject({
  gate: z.enum(["open", "paused"]).exactOptional(),
  reason: z.string().exactOptional(),
  by: z.string().exactOptional(),
  pausedUntil: amount.exactOptional(),
  stopBefore: amount.exactOptional(),
  limits: z
    .strictObject({
      concurrency: amount,
      ratePerMinute: amount,
      perTicketCapMicroUsd: amount,
      perMinuteCapMicroUsd: amount,
      maxAttempts: amount,
    })
    .exactOptional(),
});
const plannedSchema = z.object({
  budget: z.string(),
  version: z.number(),
  before: fieldsSchema,
  after: fieldsSchema,
  /** Tickets in flight at planning; only where an action stops them. */
  found: z.number().exactOptional(),
});

/** The name of every limit. */
export const limitNames = [
  "concurrency",
  "ratePerMinute",
  "perTicketCapMicroUsd",
  "perMinuteCapMicroUsd",
  "maxAttempts",
] as const satisfies readonly (keyof BudgetLimits)[];

/** Fields of a budget's controls as a plan stores them; null stands for absent. */
export type ControlFields = z.output<typeof fieldsSchema>;

/** A change of one budget's controls, pinned in a plan: only these fields, from exactly this version. */
export type PlannedControls = z.output<typeof plannedSchema>;

/** Reads one budget; throws StepFailure when there is none of that id. */
export async function readBudget(budgets: BudgetControl, budget: string): Promise<BudgetState> {
  const state = await budgets.read(budget);
  if (state !== undefined) return state;
  const budgetIds = await budgets.list();
  throw new StepFailure({
    reason: "invalid_parameters",
    message: `There is no budget "${budget}". Known: ${budgetIds.length === 0 ? "none" : budgetIds.slice(0, 20).join(", ")}.`,
    applied: "no",
  });
}

/** The change from a budget's present controls to `after`. */
export function plannedChange(state: BudgetState, after: ControlFields): PlannedControls {
  return { budget: state.budget.id, version: state.controls.version, before: sameFields(state.controls, after), after };
}

/** Before → after of every field that differs, for people; `reason` and `by` are left out. */
export function changesOf({ budget, before, after }: PlannedControls): readonly Change[] {
  const target = `budget/${budget}`;
  const rows: Change[] = [];
  for (const field of ["gate", "pausedUntil", "stopBefore"] as const) {
    if (after[field] !== undefined) rows.push({ target, field, before: before[field] ?? null, after: after[field] });
  }
  for (const field of after.limits === undefined ? [] : limitNames) {
    rows.push({ target, field, before: before.limits?.[field] ?? null, after: after.limits?.[field] ?? null });
  }
  return rows.filter((row) => row.before !== row.after);
}

/** The planned change of a plan that was stored; throws when its data is of another shape. */
export function plannedOf(plan: Plan): PlannedControls {
  return plannedSchema.parse(plan.data);
}

/**
 * Writes the planned change by compare-and-set on the planned version, so that a worker that wakes up late cannot apply an old plan over a newer one.
 * Running it again after a crash answers with the controls as they are: equal counts as done.
 * Throws StepFailure `refused_by_target` when somebody changed the controls since the plan; nothing was written then.
 */
export async function setPlanned(budgets: BudgetControl, planned: PlannedControls): Promise<BudgetControls> {
  const result = await budgets.compareAndSet(planned.budget, planned.version, changeOf(planned.after));
  if (result.set || hasFields(result.controls, planned.after)) return result.controls;
  throw new StepFailure({
    reason: "refused_by_target",
    message: `The controls of budget ${planned.budget} changed since the plan (version ${result.controls.version} by ${result.controls.by || "unknown"}, planned from ${planned.version}); nothing was written.`,
    applied: "no",
  });
}

/**
 * Undoes the planned change field by field: what still holds the value that we set goes back to what it was before.
 * Throws StepFailure `refused_by_target` when a field holds a third value: then somebody else decided, and that stands.
 */
export async function restorePlanned(budgets: BudgetControl, planned: PlannedControls): Promise<void> {
  for (let tries = 0; tries < 5; tries++) {
    const { controls } = await readBudget(budgets, planned.budget);
    const after = withCurrentLimits(planned.after, planned, controls);
    const before = withCurrentLimits(planned.before, planned, controls);
    if (hasFields(controls, before)) return;
    if (!hasFields(controls, after)) {
      throw new StepFailure({
        reason: "refused_by_target",
        message: `Somebody else changed the controls of budget ${planned.budget} meanwhile (by ${controls.by || "unknown"}: ${controls.reason || "no reason given"}); they stay as they are.`,
        applied: "no",
      });
    }
    const result = await budgets.compareAndSet(planned.budget, controls.version, changeOf(before));
    if (result.set) return;
  }
  throw new StepFailure({
    reason: "overloaded",
    message: `The controls of budget ${planned.budget} change too often to be restored.`,
    applied: "no",
  });
}

/** Whether the controls hold every one of these fields. */
export function hasFields(controls: BudgetControls, fields: ControlFields): boolean {
  return canonicalJson(sameFields(controls, fields)) === canonicalJson(fields);
}

/** Limits that the plan did not change follow whatever they are now. */
function withCurrentLimits(fields: ControlFields, planned: PlannedControls, controls: BudgetControls): ControlFields {
  const { before, after } = planned;
  if (fields.limits === undefined || before.limits === undefined || after.limits === undefined) return fields;
  const limits = { ...controls.limits };
  for (const name of limitNames) {
    if (before.limits[name] !== after.limits[name]) limits[name] = fields.limits[name];
  }
  return { ...fields, limits };
}

function sameFields(controls: BudgetControls, fields: ControlFields): ControlFields {
  return {
    ...(fields.gate !== undefined && { gate: controls.gate }),
    ...(fields.reason !== undefined && { reason: controls.reason }),
    ...(fields.by !== undefined && { by: controls.by }),
    ...(fields.pausedUntil !== undefined && { pausedUntil: controls.pausedUntil ?? null }),
    ...(fields.stopBefore !== undefined && { stopBefore: controls.stopBefore ?? null }),
    ...(fields.limits !== undefined && { limits: { ...controls.limits } }),
  };
}

function changeOf(fields: ControlFields): ControlsChange {
  return fields;
}
