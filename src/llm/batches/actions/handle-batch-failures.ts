import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { StepFailure } from "../../../core/failure.ts";
import type { BatchControl } from "../batch-control.ts";
import { classifyFailure, type FailureHandling } from "../batch-failures.ts";
import { batchParameter, describeRefusal, readBatch } from "./batch-target.ts";

const plannedSchema = z.object({
  again: z.array(z.string()),
  newId: z.string(),
  pause: z.boolean(),
  classes: z.record(z.string(), z.number()),
  handlings: z.record(z.string(), z.number()),
});
type Planned = z.output<typeof plannedSchema>;

/** Most times that one ticket is queued again. */
const maxRounds = 2;

/**
 * Sorts what was not successful: overload, server errors, rate limits and what expired are handed in again, at most twice; invalid requests stay dead
 * letters; refusals are a person's; an exhausted spend limit pauses the batch, because money is another runbook's.
 */
export const handleBatchFailures = defineAction({
  name: "handle-batch-failures",
  summary:
    "Sorts the unsuccessful tickets of a batch by class; what may work the next time is handed in again as a batch of its own, at most twice.",
  parameters: z.strictObject({ batch: batchParameter() }),
  result: {
    batch: "id of the batch",
    classes: "tickets by class of failure",
    again: "tickets that were handed in again",
    again_batch: "id of the batch that they are in, or empty",
    dead_letters: "tickets that would fail the next time too",
    for_people: "tickets that a person must look at",
    cost_incident: "tickets that met an exhausted spend limit; the batch is paused when it is still open",
  },
  effect: "set",
  risk: "raises",
  timeoutMs: 60_000,
  probes: true,
  undoes: false,
  behave({ batch: id }, { batches }: { readonly batches: BatchControl }) {
    const output = ({ again, newId, classes, handlings }: Planned): ActionOutput => ({
      batch: id,
      classes,
      again: again.length,
      again_batch: again.length === 0 ? "" : newId,
      dead_letters: handlings["dead_letter"] ?? 0,
      for_people: handlings["person"] ?? 0,
      cost_incident: handlings["cost_incident"] ?? 0,
    });
    return {
      async plan() {
        const batch = await readBatch(batches, id);
        const { round, base } = roundOf(id);
        const classes = new Map<string, number>();
        const handlings = new Map<FailureHandling, number>();
        const again: string[] = [];
        for (const ticket of await batches.failures(id)) {
          const { class: failureClass, handling } = classifyFailure(ticket);
          // What failed twice after it was handed in again is a person's.
          const last = handling === "again" && round >= maxRounds;
          const actual = last ? "person" : handling;
          classes.set(failureClass, (classes.get(failureClass) ?? 0) + 1);
          handlings.set(actual, (handlings.get(actual) ?? 0) + 1);
          if (actual === "again") again.push(ticket.id);
        }
        const pause =
          handlings.has("cost_incident") &&
          batch.state === "open" &&
          batch.gate === "open" &&
          batch.progress.ended < batch.progress.tickets;
        const newId = `${base}${againMark}${round + 1}`;
        const planned: Planned = {
          again: again.sort(),
          newId,
          pause,
          classes: Object.fromEntries(classes),
          handlings: Object.fromEntries(handlings),
        };
        const words = [...classes].map(([name, count]) => `${count} ${name}`).join(", ");
        return {
          summary:
            words === ""
              ? `Batch ${id} has no unsuccessful tickets`
              : `Batch ${id}: ${words}; hand ${again.length} in again${pause ? ", pause it" : ""}`,
          targets: [`batch/${id}`],
          changes: [
            ...(again.length === 0 ? [] : [{ target: `batch/${newId}`, field: "tickets", before: null, after: again.length }]),
            ...(pause ? [{ target: `batch/${id}`, field: "gate", before: "open", after: "paused" }] : []),
          ],
          reversible: false,
          data: planned,
        };
      },
      async run(plan, { runId }) {
        const planned = plannedSchema.parse(plan.data);
        if (planned.pause) {
          await batches.change(id, { gate: "paused", reason: "the provider's spend limit is exhausted", by: `run:${runId}` });
        }
        if (planned.again.length > 0) {
          const answer = await batches.resubmit(id, { newId: planned.newId, ticketIds: planned.again, by: `run:${runId}` });
          if (answer.kind !== "submitted" && answer.kind !== "joined") {
            throw new StepFailure({ reason: "refused_by_target", message: describeRefusal(planned.newId, answer), applied: "no" });
          }
        }
        return { kind: "done", output: output(planned) };
      },
      async probe(plan) {
        const planned = plannedSchema.parse(plan.data);
        const next = planned.again.length === 0 ? undefined : await batches.get(planned.newId);
        const handedIn = planned.again.length === 0 || (next !== undefined && next.state !== "draft");
        const paused = !planned.pause || (await readBatch(batches, id)).gate === "paused";
        return handedIn && paused ? { kind: "applied", output: output(planned) } : { kind: "not_applied" };
      },
    };
  },
});

const againMark = "-again-";

/** `nightly-again-1` is the first round of `nightly`. */
function roundOf(id: string): { readonly base: string; readonly round: number } {
  const match = /^(.*)-again-(\d{1,3})$/.exec(id);
  return match === null ? { base: id, round: 0 } : { base: match[1] ?? id, round: Number(match[2]) };
}
