import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { Alert } from "./alert.ts";
import type { Instant } from "./clock.ts";

/** How far a run may go by itself. */
export type Mode = "observe" | "approve" | "auto";

/** The runbook that only shows that the pipeline works; its runs come every other minute, so they are kept shortly and listed only when asked for. */
export const canaryRunbook = "canary";

/** Every request that a run sends says so in this header, and runbookd starts and decides nothing because of such a request: a run may not trigger a run. */
export const runHeader = "runbookd-run";

/** Of a finished run. `ineffective`: verification false. `inconclusive`: could not see. */
export const outcomes = ["succeeded", "ineffective", "inconclusive", "failed", "stood_down", "aborted", "undone"] as const;

/** See {@link outcomes}. */
export type Outcome = (typeof outcomes)[number];

/** Where a run is. Only `ended` has an outcome. `damaged`: its record cannot be read, and no worker touches it. */
export const runStates = ["queued", "running", "suspended", "in_doubt", "damaged", "ended"] as const;

/** See {@link runStates}. */
export type RunState = (typeof runStates)[number];

/** What a run was started with; the first entry of its journal and never changed. */
export interface RunRequest {
  readonly runbookId: string;
  /** Hash of the pinned runbook bytes. */
  readonly runbookSha: string;
  readonly mode: Mode;
  readonly target?: string;
  readonly params: { readonly [name: string]: Json };
  /** Absent when a person started it. */
  readonly alert?: Alert;
  readonly source: "webhook" | "poll" | "manual" | "rerun";
  readonly requester?: string;
}

/** The projection of a journal, for listing. The journal is the truth. */
export interface RunSummary {
  readonly id: string;
  readonly runbookId: string;
  readonly runbookSha: string;
  readonly mode: Mode;
  readonly state: RunState;
  readonly outcome?: Outcome;
  readonly target?: string;
  readonly alertName?: string;
  readonly source: RunRequest["source"];
  readonly acceptedAt: Instant;
  readonly endedAt?: Instant;
  /** Name of the step that is being worked on or waited for. */
  readonly step?: string;
  /** Why it waits or ended, for people. */
  readonly note?: string;
}

/** What can be said about a run whose record cannot be read. */
export function damagedSummary(id: string): RunSummary {
  return {
    id,
    runbookId: "unknown",
    runbookSha: "",
    mode: "observe",
    state: "damaged",
    source: "webhook",
    acceptedAt: 0,
    note: "Its record in Redis cannot be read.",
  };
}

/** A projection as it was stored. Throws when the text is none. */
export function parseSummary(text: string): RunSummary {
  const value: unknown = JSON.parse(text);
  if (!isSummary(value)) throw new Error(`This is no summary of a run: ${text.slice(0, 80)}`);
  return value;
}

function isSummary(value: unknown): value is RunSummary {
  return typeof value === "object" && value !== null && "id" in value && "runbookId" in value && "acceptedAt" in value;
}
