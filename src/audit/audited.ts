import type { AuditEntry } from "../../packages/sdk/src/wire/audit.ts";
import type { ApprovalService } from "../approvals/approval-service.ts";
import type { AuditLog } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import type { FreezeService } from "../freeze/freeze-service.ts";
import type { BatchControl } from "../llm/batches/batch-control.ts";
import type { ControlResult, RunControl, StartResult } from "../runs/run-control.ts";

/** Where acts are recorded, and when. */
export interface AuditDeps {
  readonly audit: AuditLog;
  readonly clock: Pick<Clock, "now">;
}

/** A desk whose answers are recorded, the refused ones too. The answer comes first: the run's own journal has it in any case. */
export function auditedApprovals(approvalService: ApprovalService, { audit, clock }: AuditDeps): ApprovalService {
  return {
    list: async () => approvalService.list(),
    find: async (id) => approvalService.find(id),
    async answer(id, request) {
      const result = await approvalService.answer(id, request);
      const { answer, reason, by, role, planSha, link } = request;
      const given = result.kind === "ok" || result.kind === "recorded";
      // An id that nobody asked under is no act on anything, and costs the log a record each.
      if (result.kind === "not_found") return result;
      await audit.append({
        at: clock.now(),
        kind: given ? "answered" : "answer_refused",
        by,
        subject: id,
        detail: {
          answer,
          reason,
          role,
          reply: result.kind,
          ...(planSha !== undefined && { planSha }),
          ...(link !== undefined && { byLink: true }),
          ...("missing" in result && { missing: result.missing }),
          ...("runIds" in result && result.runIds !== undefined && { runs: result.runIds.length }),
        },
      });
      return result;
    },
  };
}

/** What a person wanted to do; `kind` when it was done. */
type Act = Pick<AuditEntry, "kind" | "by" | "subject" | "detail">;

/** Starts, stops, wakes and repeats by people are recorded, the refused ones too. A stop is never held back by its record. */
export function auditedControl(control: RunControl, { audit, clock }: AuditDeps): RunControl {
  const record = async <Result extends StartResult | ControlResult>(
    { kind, by, subject, detail }: Act,
    result: Result,
  ): Promise<Result> => {
    if (result.kind === "not_found") return result;
    const isDone = result.kind === "ok";
    await audit.append({
      at: clock.now(),
      kind: isDone ? kind : "run_refused",
      by,
      subject,
      detail: { ...detail, ...(isDone ? { runId: result.runId } : { wanted: kind, reply: result.kind }) },
    });
    return result;
  };
  return {
    start: async (request) =>
      record(
        {
          kind: "run_started",
          by: request.requester,
          subject: request.runbookId,
          detail: { params: request.params, mode: request.mode ?? null },
        },
        await control.start(request),
      ),
    abort: async (id, by, reason) =>
      record({ kind: "run_aborted", by, subject: id, detail: { reason } }, await control.abort(id, by, reason)),
    resume: async (id, by) => record({ kind: "run_resumed", by, subject: id, detail: {} }, await control.resume(id, by)),
    rerun: async (id, by, document = "present") =>
      record({ kind: "run_repeated", by, subject: id, detail: { document } }, await control.rerun(id, by, document)),
  };
}

/** What people do to batches is recorded, the refused ones too. A pause is in force before its record. */
export function auditedBatches(control: BatchControl, { audit, clock }: AuditDeps): BatchControl {
  const record = async ({ kind, by, subject, detail }: Act, result: string): Promise<void> => {
    if (result === "missing") return;
    const done = result === "set" || result === "submitted" || result === "joined";
    await audit.append({ at: clock.now(), kind: done ? kind : "batch_refused", by, subject, detail: { ...detail, reply: result } });
  };
  return {
    ...control,
    async submit(id, by = "") {
      const answer = await control.submit(id, by);
      const detail = answer.kind === "refused" ? { arithmetic: answer.arithmetic } : {};
      await record({ kind: "batch_submitted", by, subject: id, detail }, answer.kind);
      return answer;
    },
    async change(id, change, expectedVersion) {
      const result = await control.change(id, change, expectedVersion);
      const { gate, state, limits, reason, by = "" } = change;
      const detail = {
        ...(gate !== undefined && { gate }),
        ...(state !== undefined && { state }),
        ...(limits !== undefined && { limits: { ...limits } }),
        ...(reason !== undefined && { reason }),
      };
      await record({ kind: "batch_changed", by, subject: id, detail }, result);
      return result;
    },
  };
}

/** Freezes and their ends are recorded. A freeze is in force before its record. */
export function auditedFreezes(freezeService: FreezeService, { audit, clock }: AuditDeps): FreezeService {
  return {
    list: async () => freezeService.list(),
    async put(freeze) {
      await freezeService.put(freeze);
      await audit.append({
        at: clock.now(),
        kind: "frozen",
        by: freeze.by,
        subject: freeze.scope,
        detail: { reason: freeze.reason, undo: freeze.undo },
      });
    },
    async remove(scope, by) {
      const removed = await freezeService.remove(scope, by);
      if (removed) await audit.append({ at: clock.now(), kind: "unfrozen", by, subject: scope, detail: {} });
      return removed;
    },
  };
}
