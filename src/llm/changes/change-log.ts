import type { WorkloadChange } from "../../../packages/sdk/src/wire/changes.ts";
import type { Clock, Instant } from "../../core/clock.ts";
import { formatShare } from "../../core/share.ts";
import type { BatchControl } from "../batches/batch-control.ts";
import type { ControlsChange } from "../budgets/budget.ts";
import type { BudgetLedger } from "../budgets/budget-ledger.ts";
import type { FlagStore } from "../flags/flag.ts";
import { differencesOf } from "../flags/flag-difference.ts";
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

type PendingChange = Omit<WorkloadChange, "at">;

/** A recorded change has happened, so a failure to inspect or to store it must not fail its caller. */
async function recordChange(
  { changes, clock, lost }: ChangeRecorder,
  pending: PendingChange | (() => Promise<PendingChange>),
): Promise<void> {
  try {
    const change = typeof pending === "function" ? await pending() : pending;
    await changes.record({ ...change, at: clock.now() });
  } catch (error) {
    lost(error);
  }
}

/** A store whose moved labels are noted as changes of the workload. */
export function withLabelChanges(prompts: PromptStore, recorder: ChangeRecorder): PromptStore {
  return {
    ...prompts,
    async moveLabel(move) {
      const result = await prompts.moveLabel(move);
      if (result.kind === "moved" && result.before !== result.after) {
        const { prompt, label, by } = move;
        const ref = `prompt ${prompt}: ${label} is ${result.after === null ? "nothing" : `version ${result.after}`}`;
        await recordChange(recorder, { kind: "prompt", ref, dims: { prompt }, by });
      }
      return result;
    },
  };
}

/** A control whose submissions are noted as changes of the workload. */
export function withBatchChanges(control: BatchControl, recorder: ChangeRecorder): BatchControl {
  const submitted = async (id: string, by: string) =>
    recordChange(recorder, async () => {
      const batch = await control.get(id);
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
    async resubmit(id, resubmission) {
      const answer = await control.resubmit(id, resubmission);
      if (answer.kind === "submitted") await submitted(resubmission.newId, resubmission.by);
      return answer;
    },
  };
}

/** A ledger whose gates and limits are noted as changes of the workload when they change. */
export function withLimitChanges(ledger: BudgetLedger, recorder: ChangeRecorder): BudgetLedger {
  return {
    ...ledger,
    async compareAndSet(budget, expectedVersion, change) {
      const result = await ledger.compareAndSet(budget, expectedVersion, change);
      const what = namesOf(change);
      // A reply that this very change was there already comes with the version that it made.
      if (result.set && what !== "" && result.controls.version === expectedVersion + 1) {
        await recordChange(recorder, { kind: "limit", ref: `budget ${budget}: ${what}`, dims: { budget }, by: result.controls.by });
      }
      return result;
    },
  };
}

/** A store whose changed routes are noted as changes of the workload. */
export function withRouteChanges(routes: ModelRoutingStore, recorder: ChangeRecorder): ModelRoutingStore {
  return {
    ...routes,
    async set(change) {
      const result = await routes.set(change);
      // The same targets again leave the version where it was.
      if (result.kind === "set" && result.route.version === change.expected + 1) {
        const { baseline, candidate } = result.route;
        const trial = candidate === null ? "" : `, ${candidate.model} for ${formatShare(candidate.share)}`;
        const dims = { model: candidate?.model ?? baseline.model };
        await recordChange(recorder, { kind: "route", ref: `route ${change.id}: ${baseline.model}${trial}`, dims, by: change.by });
      }
      return result;
    },
  };
}

/** A store whose changed flags are noted as changes of the workload. */
export function withFlagChanges(flags: FlagStore, recorder: ChangeRecorder): FlagStore {
  return {
    ...flags,
    async set(change) {
      const before = await flags.read(change.key);
      const result = await flags.set(change);
      // The same definition again leaves the version where it was.
      if (result.kind === "set" && result.flag.version === change.expected + 1 && before?.version !== result.flag.version) {
        const what = differencesOf(before, result.flag).map((difference) => difference.what);
        const ref = `flag ${change.key}: ${what.join(", ")}`;
        await recordChange(recorder, { kind: "flag", ref: ref.slice(0, 200), dims: {}, by: change.by });
      }
      return result;
    },
  };
}

function namesOf({ gate, limits }: ControlsChange): string {
  const gateText = gate === undefined ? [] : [`gate ${gate}`];
  const limitText = limits === undefined ? [] : ["limits set"];
  return [...gateText, ...limitText].join(", ");
}
