import type { WorkloadChange } from "../../../packages/sdk/src/wire/changes.ts";
import type { Clock, Instant } from "../../core/clock.ts";
import { formatShare } from "../../core/share.ts";
import type { BatchControl } from "../batches/batch-control.ts";
import type { ControlsChange } from "../budgets/budget.ts";
import type { BudgetLedger } from "../budgets/budget-ledger.ts";
import type { PromptStore } from "../prompts/prompt.ts";
import type { ModelRoutingStore } from "../routing/model-route.ts";

/** Most changes that are kept; the oldest make room. */
export const maxChanges = 5000;

/** What was changed about the workload, and when. */
export interface ChangeLog {
  /** The same change again is one. Rejects with StoreUnavailable when it could not be kept. */
  record(change: WorkloadChange): Promise<void>;
  /** The newest `limit` of [from, to], oldest first. */
  between(from: Instant, to: Instant, limit: number): Promise<readonly WorkloadChange[]>;
}

/** Where our own changes are noted. `lost` hears why one could not be: the change itself has been made, and stands. */
export interface ChangeRecorder {
  readonly changes: ChangeLog;
  readonly clock: Pick<Clock, "now">;
  readonly lost: (error: unknown) => void;
}

type Noted = Omit<WorkloadChange, "at">;

/** What is noted has happened, so neither finding out about it nor keeping it may fail whoever did it. */
async function note({ changes, clock, lost }: ChangeRecorder, noted: Noted | (() => Promise<Noted>)): Promise<void> {
  try {
    const change = typeof noted === "function" ? await noted() : noted;
    await changes.record({ ...change, at: clock.now() });
  } catch (error) {
    lost(error);
  }
}

/** A store whose moved labels are noted as changes of the workload. */
export function withLabelChanges(prompts: PromptStore, notes: ChangeRecorder): PromptStore {
  return {
    ...prompts,
    async moveLabel(move) {
      const reply = await prompts.moveLabel(move);
      if (reply.kind === "moved" && reply.before !== reply.after) {
        const { prompt, label, by } = move;
        const ref = `prompt ${prompt}: ${label} is ${reply.after === null ? "nothing" : `version ${reply.after}`}`;
        await note(notes, { kind: "prompt", ref, dims: { prompt }, by });
      }
      return reply;
    },
  };
}

/** A control whose submissions are noted as changes of the workload. */
export function withBatchChanges(control: BatchControl, notes: ChangeRecorder): BatchControl {
  const submitted = async (id: string, by: string) =>
    note(notes, async () => {
      const batch = await control.look(id);
      const dims = batch === undefined ? {} : { budget: batch.budget, queue: batch.queue };
      return { kind: "batch", ref: `batch ${id} was submitted`, dims: { batch: id, ...dims }, by };
    });
  return {
    ...control,
    async submit(id, by = "") {
      const answer = await control.submit(id, by);
      if (answer.kind === "submitted") await submitted(id, by);
      return answer;
    },
    async handInAgain(id, newId, ticketIds, by) {
      const answer = await control.handInAgain(id, newId, ticketIds, by);
      if (answer.kind === "submitted") await submitted(newId, by);
      return answer;
    },
  };
}

/** A ledger whose gates and limits are noted as changes of the workload when they change. */
export function withLimitChanges(ledger: BudgetLedger, notes: ChangeRecorder): BudgetLedger {
  return {
    ...ledger,
    async compareAndSet(budget, expectedVersion, change) {
      const reply = await ledger.compareAndSet(budget, expectedVersion, change);
      const what = namesOf(change);
      // A reply that this very change was there already comes with the version that it made.
      if (reply.set && what !== "" && reply.controls.version === expectedVersion + 1) {
        await note(notes, { kind: "limit", ref: `budget ${budget}: ${what}`, dims: { budget }, by: reply.controls.by });
      }
      return reply;
    },
  };
}

/** A store whose changed routes are noted as changes of the workload. */
export function withRouteChanges(routes: ModelRoutingStore, notes: ChangeRecorder): ModelRoutingStore {
  return {
    ...routes,
    async set(change) {
      const reply = await routes.set(change);
      // The same targets again leave the version where it was.
      if (reply.kind === "set" && reply.route.version === change.expected + 1) {
        const { baseline, candidate } = reply.route;
        const trial = candidate === null ? "" : `, ${candidate.model} for ${formatShare(candidate.share)}`;
        const dims = { model: candidate?.model ?? baseline.model };
        await note(notes, { kind: "route", ref: `route ${change.id}: ${baseline.model}${trial}`, dims, by: change.by });
      }
      return reply;
    },
  };
}

function namesOf({ gate, limits }: ControlsChange): string {
  const gateText = gate === undefined ? [] : [`gate ${gate}`];
  const limitText = limits === undefined ? [] : ["limits set"];
  return [...gateText, ...limitText].join(", ");
}
