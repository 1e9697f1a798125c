import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { Mode } from "../../packages/sdk/src/wire/runs.ts";

/** `conflict`: the run exists and cannot do this now. */
export type ControlResult =
  | { readonly kind: "ok"; readonly runId: string }
  | { readonly kind: "conflict"; readonly reason: string }
  | { readonly kind: "not_found" };

/** `invalid`: the parameters do not fit the runbook; one sentence each. */
export type StartResult = ControlResult | { readonly kind: "invalid"; readonly issues: readonly string[] };

/** What a person asks for when starting a run by hand. */
export interface StartRequest {
  readonly runbookId: string;
  readonly params: { readonly [name: string]: Json };
  /** At most the runbook's own mode. */
  readonly mode?: Mode;
  readonly requester: string;
}

/** Which document a repeated run executes: the one in force now, or the bytes that the first run was pinned to. */
export type RerunDocument = "present" | "pinned";

/** What people do to runs. Each promise resolves when it is durable and rejects with `StoreUnavailable` otherwise. */
export interface RunControl {
  start(request: StartRequest): Promise<StartResult>;
  abort(id: string, by: string, reason: string): Promise<ControlResult>;
  resume(id: string, by: string): Promise<ControlResult>;
  /**
   * A new run with the same request; answers the new run's id. Its mode is the more careful one of the run's and of the document's
   * today, and at least `approve` when the document is no longer in force. The document is the one in force unless `pinned` is asked for.
   */
  rerun(id: string, by: string, document?: RerunDocument): Promise<ControlResult>;
}
