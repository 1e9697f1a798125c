import type { RunRequest } from "../../packages/sdk/src/wire/runs.ts";
import { moreCareful, proposeRun, requestFromEarlier, requestFromPerson } from "../alerts/prepare-run.ts";
import type { AcceptStore } from "../alerts/store.ts";
import type { Clock } from "../core/clock.ts";
import { sha256 } from "../core/json.ts";
import type { Ids } from "../core/ulid.ts";
import type { WakeQueue } from "../core/wake-queue.ts";
import type { RunbookBytes } from "../runbooks/runbook-bytes.ts";
import type { RunbookFolder } from "../runbooks/runbook-folder.ts";
import type { DamagedRuns } from "./redis-damaged-runs.ts";
import type { ControlResult, RunControl } from "./run-control.ts";
import type { RunNotices } from "./run-notices.ts";
import type { RunReader } from "./run-reader.ts";

/** What people do to runs is made of what intake and the ledger can do. */
export interface RunControlDeps {
  readonly store: AcceptStore;
  readonly bytes: RunbookBytes;
  readonly notices: RunNotices;
  readonly damaged: Pick<DamagedRuns, "giveUp">;
  readonly wakeQueue: WakeQueue;
  readonly reader: Pick<RunReader, "get">;
  readonly library: Pick<RunbookFolder, "get">;
  readonly ids: Ids;
  readonly clock: Clock;
}

/** Starts, stops and repeats runs by hand. A start by hand takes no cooldown: a person has decided. */
export function createRunControl(deps: RunControlDeps): RunControl {
  const accept = async (request: RunRequest, source: string): Promise<ControlResult> => {
    await deps.bytes.put(request.runbookSha, source);
    const id = deps.ids("run");
    const now = deps.clock.now();
    const run = proposeRun({ id, request, claims: [], now });
    // An episode of its own: a start by hand is not a firing of the alert.
    const fingerprint = sha256(id);
    const episode = {
      runbookId: request.runbookId,
      fingerprint,
      startsAt: now,
      latestStartsAt: now,
      lastSeenAt: now,
      count: 0,
      recentStarts: [],
      runId: id,
    };
    const [result] = await deps.store.accept([{ runbookId: request.runbookId, fingerprint, expectedVersion: 0, episode, run }]);
    if (result?.kind === "created") {
      deps.wakeQueue.enqueue(id);
      return { kind: "ok", runId: id };
    }
    if (result?.kind === "joined") return { kind: "conflict", reason: `Run ${result.runId} of this runbook is open for this target.` };
    if (result?.kind === "frozen") return { kind: "conflict", reason: result.reason };
    return { kind: "conflict", reason: `The run was not accepted: ${result?.kind ?? "no reply"}.` };
  };

  const noticed = async (id: string, send: () => Promise<"ok" | "ended" | "unknown_run">): Promise<ControlResult> => {
    const result = await send();
    if (result === "unknown_run") return { kind: "not_found" };
    if (result === "ended") return { kind: "conflict", reason: "The run has ended." };
    deps.wakeQueue.enqueue(id);
    return { kind: "ok", runId: id };
  };

  return {
    async start({ runbookId, params, mode, requester }) {
      const document = deps.library.get(runbookId);
      if (document?.runbook === undefined) return { kind: "not_found" };
      const prepared = requestFromPerson(document.runbook, { params, requester, ...(mode !== undefined && { mode }) });
      return prepared.ok ? accept(prepared.request, document.runbook.source) : { kind: "invalid", issues: [prepared.reason] };
    },
    async abort(id, by, reason) {
      // No worker would ever hear a notice to a damaged run.
      if (await deps.damaged.giveUp(id, by, reason)) return { kind: "ok", runId: id };
      return noticed(id, async () => deps.notices.stop(id, by, reason));
    },
    async resume(id) {
      const run = await deps.reader.get(id);
      if (run === undefined) return { kind: "not_found" };
      if (run.summary.state !== "suspended")
        return { kind: "conflict", reason: `The run is ${run.summary.state}; only a suspended run can be resumed.` };
      return noticed(id, async () => deps.notices.wake(id));
    },
    async rerun(id, by, document = "present") {
      const run = await deps.reader.get(id);
      const first = run?.journal[0];
      if (run === undefined || first?.kind !== "accepted") return { kind: "not_found" };
      if (run.summary.state !== "ended") return { kind: "conflict", reason: "The run goes on; abort it first." };
      const present = deps.library.get(first.request.runbookId)?.runbook;
      if (present !== undefined && document === "present") {
        const prepared = requestFromEarlier(present, first.request, by);
        if (prepared.ok) return accept(prepared.request, present.source);
        return { kind: "conflict", reason: `The document was changed since and does not take this request: ${prepared.reason}` };
      }
      if (run.runbookSource === undefined) return { kind: "conflict", reason: "The document that the run was pinned to is gone." };
      // A document that was removed permits nothing without a person.
      const mode = moreCareful(first.request.mode, present?.mode ?? "approve");
      return accept({ ...first.request, mode, source: "rerun", requester: by }, run.runbookSource);
    },
  };
}
