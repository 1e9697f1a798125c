import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { ValueWrite } from "../../test/servers/counting-target.ts";

/** One request that the counting target saw, in the order in which it saw them. */
export interface Arrival {
  readonly run: string;
  readonly step: string;
  readonly effect: string;
  /** Whether it changed the target. */
  readonly applied: boolean;
  readonly pid: number;
  readonly at: number;
}

/** A run as Redis tells it at the end. */
export interface RunRecord {
  readonly id: string;
  readonly state: string;
  readonly target: string;
  /** Head of the hash chain that the projection holds. */
  readonly head: string;
  /** Entries as they are stored. */
  readonly texts: readonly string[];
  readonly entries: readonly JournalEntry[];
}

/** A time in which a process stood still, from SIGSTOP to SIGCONT or SIGKILL. */
export interface Freeze {
  readonly pid: number;
  readonly from: number;
  readonly to: number;
}

/** A time in which the kill switch of everything surely stood. */
export interface KillSwitch {
  readonly from: number;
  readonly to: number;
  /** Whether undo was permitted meanwhile. */
  readonly undo: boolean;
}

/** Everything that the checker looks at. Times in UTC ms of one machine. */
export interface History {
  /** Alerts that were answered 202, with the run that the answer named. */
  readonly accepted: readonly { readonly fingerprint: string; readonly runId: string }[];
  readonly runs: readonly RunRecord[];
  readonly arrivals: readonly Arrival[];
  readonly freezes: readonly Freeze[];
  readonly killSwitches: readonly KillSwitch[];
  /** Values that runs set and took back, and that somebody else set. */
  readonly writes: readonly ValueWrite[];
  /** Effects permitted per window of the bucket. */
  readonly limit: { readonly max: number; readonly windowMs: number };
  /** Steps that a person must permit. */
  readonly needsApproval: readonly string[];
}

/** What is wrong, one sentence each. */
export type Violations = readonly string[];
