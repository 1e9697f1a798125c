import { z } from "zod";
import { type BatchView, batchLimitsSchema } from "../../../../packages/sdk/src/wire/batches.ts";
import { canonicalJson } from "../../../../packages/sdk/src/wire/json.ts";
import type { ActionOutput, Change, Plan } from "../../../../packages/sdk/src/wire/plans.ts";
import type { ActionBehaviour } from "../../../actions/define-action.ts";
import { StepFailure } from "../../../core/failure.ts";
import type { BatchChange } from "../batch.ts";
import type { BatchControl } from "../batch-control.ts";
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
type PlannedBatch = z.output<typeof plannedSchema>;

/** One change of one batch, in the words of the action that makes it. */
export interface BatchChangeWanted {
  /** What the batch is to hold afterwards, at `now` in UTC milliseconds; throws StepFailure when nothing sensible is asked for. */
  after(batch: BatchView, now: number): PlannedBatch["after"];
  /** One sentence for people; without changes it says that the batch is so already. */
  summary(batch: BatchView, changes: readonly Change[]): string;
  /** Shown to everybody who asks for admission. */
  reason(runId: string): string;
  /** Whether the change can be taken back. */
  readonly reversible: boolean;
  /** Whether the behaviour has an `undo`; what lowers has none, because a run keeps it. */
  readonly undoes: boolean;
  /** What is reported, read back from the batch. */
  output(batch: BatchView, before: PlannedBatch["before"]): ActionOutput;
}

/**
 * What an action that changes one batch does. It writes by compare-and-set on the planned version, and equal counts as done; its undo puts the fields
 * back that still hold what was set. Both throw StepFailure `refused_by_target` when the batch was changed by another client, or has ended.
 */
export function plannedBatch(batches: BatchControl, id: string, wanted: BatchChangeWanted): ActionBehaviour {
  return {
    async plan({ clock, runId }) {
      const batch = await readBatch(batches, id);
      const after = wanted.after(batch, clock.now());
      const changes = batchChanges(batch, after);
      const before = {
        ...(after.gate !== undefined && { gate: batch.gate }),
        ...(after.limits !== undefined && { limits: batch.limits }),
      };
      const planned: PlannedBatch = { batch: id, version: batch.version, before, after, reason: wanted.reason(runId), by: `run:${runId}` };
      return {
        summary: wanted.summary(batch, changes),
        targets: [`batch/${id}`],
        changes,
        reversible: wanted.reversible,
        data: planned,
      };
    },
    async run(plan) {
      const planned = plannedSchema.parse(plan.data);
      const batch = await readBatch(batches, id);
      if (!hasBatchFields(batch, planned.after)) await writeFields(batches, planned, { fields: planned.after, version: planned.version });
      return { kind: "done", output: wanted.output(await readBatch(batches, id), planned.before) };
    },
    async probe(plan) {
      const planned = plannedSchema.parse(plan.data);
      const batch = await readBatch(batches, id);
      return hasBatchFields(batch, planned.after)
        ? { kind: "applied", output: wanted.output(batch, planned.before) }
        : { kind: "not_applied" };
    },
    ...(wanted.undoes && {
      async undo(plan: Plan) {
        const planned = plannedSchema.parse(plan.data);
        const batch = await readBatch(batches, id);
        if (hasBatchFields(batch, planned.before)) return;
        if (!hasBatchFields(batch, planned.after)) throw changedMeanwhile(batch);
        await writeFields(batches, planned, { fields: planned.before, version: batch.version });
      },
    }),
  };
}

/** Before → after of every field that differs, for people. */
function batchChanges(batch: BatchView, after: PlannedBatch["after"]): readonly Change[] {
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
function hasBatchFields(batch: BatchView, fields: PlannedBatch["after"]): boolean {
  return (
    (fields.gate === undefined || batch.gate === fields.gate) &&
    (fields.state === undefined || batch.state === fields.state) &&
    (fields.limits === undefined || canonicalJson(batch.limits) === canonicalJson(fields.limits))
  );
}

/** Writes `fields` if the batch still has `version`. */
async function writeFields(
  batches: BatchControl,
  planned: PlannedBatch,
  { fields, version }: { readonly fields: BatchChange; readonly version: number },
): Promise<void> {
  const result = await batches.change(planned.batch, { ...fields, reason: planned.reason, by: planned.by }, version);
  if (result === "set") return;
  const now = await readBatch(batches, planned.batch);
  if (hasBatchFields(now, fields)) return;
  if (result === "over") {
    throw new StepFailure({
      reason: "refused_by_target",
      message: `Batch ${now.id} is ${now.state}; nothing of it changes any more.`,
      applied: "no",
    });
  }
  throw changedMeanwhile(now);
}

function changedMeanwhile({ id, by, reason, version }: BatchView): StepFailure {
  return new StepFailure({
    reason: "refused_by_target",
    message: `Batch ${id} was changed since the plan (version ${version} by ${by || "unknown"}: ${reason || "no reason given"}); it stays as it is.`,
    applied: "no",
  });
}
