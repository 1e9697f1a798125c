import { z } from "zod";
import type { ActionOutput, Change, Plan } from "../core/action.ts";
import { StepFailure } from "../core/failure.ts";
import { canonicalJson } from "../core/json.ts";
import { oneUsd } from "../core/money.ts";
import type { BatchControl, BatchSight } from "../workload/batch-control.ts";
import { batchLimitsSchema, type BatchChange, type BatchLimits } from "../workload/batch.ts";
import { readBatch } from "./batch-target.ts";

const fieldsSchema = z.strictObject({
  gate: z.enum(["open", "paused"]).exactOptional(),
  state: z.literal("cancelled").exactOptional(),
  limits: batchLimitsSchema.exactOptional(),
});
const plannedSchema = z.strictObject({
  batch: z.string(),
  version: z.number(),
  before: z.strictObject({ gate: z.enum(["open", "paused"]).exactOptional(), limits: batchLimitsSchema.exactOptional() }),
  after: fieldsSchema,
  reason: z.string(),
  by: z.string(),
});

/** A change of one batch, pinned in a plan: only these fields, from exactly this version. */
export type PlannedBatch = z.output<typeof plannedSchema>;

/** The change from a batch as it is to `after`. */
export function plannedBatch(batch: BatchSight, after: PlannedBatch["after"], reason: string, by: string): PlannedBatch {
  const before = {
    ...(after.gate !== undefined && { gate: batch.gate }),
    ...(after.limits !== undefined && { limits: batch.limits }),
  };
  return { batch: batch.id, version: batch.version, before, after, reason, by };
}

/** The planned change of a plan that was stored; throws when its data is of another shape. */
export function plannedBatchOf(plan: Plan): PlannedBatch {
  return plannedSchema.parse(plan.data);
}

/** Before → after of every field that differs, for people. */
export function batchChanges(batch: BatchSight, after: PlannedBatch["after"]): readonly Change[] {
  const target = `batch/${batch.id}`;
  const rows: Change[] = [];
  if (after.gate !== undefined) rows.push({ target, field: "gate", before: batch.gate, after: after.gate });
  if (after.state !== undefined) rows.push({ target, field: "state", before: batch.state, after: after.state });
  const wanted = after.limits;
  if (wanted !== undefined) {
    for (const [field, value] of Object.entries(wanted)) {
      rows.push({ target, field, before: new Map(Object.entries(batch.limits)).get(field) ?? null, after: value });
    }
  }
  return rows.filter((row) => row.before !== row.after);
}

/** Whether the batch holds every one of these fields. */
export function holdsFields(batch: BatchSight, fields: PlannedBatch["after"]): boolean {
  return (
    (fields.gate === undefined || batch.gate === fields.gate) &&
    (fields.state === undefined || batch.state === fields.state) &&
    (fields.limits === undefined || canonicalJson(batch.limits) === canonicalJson(fields.limits))
  );
}

/**
 * Writes the planned change by compare-and-set; equal counts as done. Throws StepFailure `refused_by_target` when somebody changed the batch since the
 * plan, or when it is through.
 */
export async function setPlannedBatch(batches: BatchControl, planned: PlannedBatch): Promise<BatchSight> {
  await writeFields(batches, planned, planned.after, planned.version);
  return readBatch(batches, planned.batch);
}

/** Puts the planned fields back to what they were, if they still hold what was set; throws StepFailure when somebody else decided meanwhile. */
export async function restorePlannedBatch(batches: BatchControl, planned: PlannedBatch): Promise<void> {
  const batch = await readBatch(batches, planned.batch);
  if (holdsFields(batch, planned.before)) return;
  if (!holdsFields(batch, planned.after)) throw changedMeanwhile(batch);
  await writeFields(batches, planned, planned.before, batch.version);
}

async function writeFields(batches: BatchControl, planned: PlannedBatch, fields: BatchChange, version: number): Promise<void> {
  const reply = await batches.change(planned.batch, { ...fields, reason: planned.reason, by: planned.by }, version);
  if (reply === "set") return;
  const now = await readBatch(batches, planned.batch);
  if (holdsFields(now, fields)) return;
  if (reply === "over") {
    throw new StepFailure({
      reason: "refused_by_target",
      message: `Batch ${now.id} is ${now.state}; nothing of it changes any more.`,
      applied: "no",
    });
  }
  throw changedMeanwhile(now);
}

function changedMeanwhile({ id, by, reason, version }: BatchSight): StepFailure {
  return new StepFailure({
    reason: "refused_by_target",
    message: `Batch ${id} was changed since the plan (version ${version} by ${by || "unknown"}: ${reason || "no reason given"}); it stays as it is.`,
    applied: "no",
  });
}

/** What every action on a batch reports, read back from it. */
export function batchOutput(batch: BatchSight): ActionOutput {
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

/** Whether one of the limits lets more happen than before. */
export function raises(before: BatchLimits, after: BatchLimits): boolean {
  const more = (a: number | null, b: number | null) => a !== null && (b === null || b > a);
  return (
    more(before.maxCostMicroUsd, after.maxCostMicroUsd) ||
    more(before.perTicketCapMicroUsd, after.perTicketCapMicroUsd) ||
    more(before.concurrency, after.concurrency) ||
    more(before.ratePerMinute, after.ratePerMinute) ||
    more(before.deadlineAt, after.deadlineAt) ||
    after.maxFailureRatio > before.maxFailureRatio ||
    after.leadingTickets < before.leadingTickets
  );
}
