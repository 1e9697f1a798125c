import type { Freeze } from "../../packages/sdk/src/wire/freezes.ts";
import type { RunRequest } from "../../packages/sdk/src/wire/runs.ts";
import type { AnswerWrite } from "../../src/approvals/question-store.ts";
import type { Instant } from "../../src/core/clock.ts";
import type { MemoryRunJournal } from "../../src/rehearsal/memory-run-journal.ts";
import type { Append, Lease, Notices } from "../../src/runs/store.ts";

/** One call of the store, as a world made it. */
export type StoreCall =
  | { readonly kind: "create"; readonly runId: string; readonly request: RunRequest }
  /** `token`: the one that the claim was given, by which later calls name it. */
  | { readonly kind: "claim"; readonly runId: string; readonly token?: string }
  | { readonly kind: "renew"; readonly lease: Lease }
  | { readonly kind: "append"; readonly lease: Lease; readonly change: Append }
  | { readonly kind: "notice"; readonly runId: string; readonly notices: Notices }
  | { readonly kind: "freeze"; readonly freeze: Freeze }
  | { readonly kind: "unfreeze"; readonly scope: string }
  | { readonly kind: "expire"; readonly runId: string }
  | { readonly kind: "answer"; readonly write: AnswerWrite }
  /** The store has lost writes: what follows is of another state. */
  | { readonly kind: "lost" };

/** A call, and the time of the store's clock. */
export type TimedCall = StoreCall & { readonly at: Instant };

/** The journal in memory, each of whose calls is also given to `record`. */
export function recordedJournal(memory: MemoryRunJournal, record: (call: StoreCall) => void): MemoryRunJournal {
  return {
    ...memory,
    create(runId, request) {
      record({ kind: "create", runId, request });
      memory.create(runId, request);
    },
    async claim(runId) {
      const claimed = await memory.claim(runId);
      record({ kind: "claim", runId, ...(!("refused" in claimed) && { token: claimed.lease.token }) });
      return claimed;
    },
    async renew(lease) {
      record({ kind: "renew", lease });
      return memory.renew(lease);
    },
    async append(lease, change) {
      record({ kind: "append", lease, change });
      return memory.append(lease, change);
    },
    notice(runId, notices) {
      record({ kind: "notice", runId, notices });
      memory.notice(runId, notices);
    },
    freeze(freeze) {
      record({ kind: "freeze", freeze });
      memory.freeze(freeze);
    },
    unfreeze(scope) {
      record({ kind: "unfreeze", scope });
      memory.unfreeze(scope);
    },
    expireLease(runId) {
      record({ kind: "expire", runId });
      memory.expireLease(runId);
    },
  };
}
