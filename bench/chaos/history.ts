import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { ValueWrite } from "../../test/servers/counting-target.ts";

/** One request that the counting target saw, in the order in which it saw them. */
export interface Arrival {
  readonly run: string;
  readonly step: string;
  readonly effect: string;
  /** Whether it changed the target. */
  readonly applied: boolean;
  /** Number of the process, as two of different PID namespaces may have one pid. */
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
  /** With the machine's time, whatever the clock said that they were written by. */
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

/** A time in which Redis ran with a setting that could lose what is accepted. */
export interface UnfitTime {
  readonly from: number;
  readonly to: number;
  readonly setting: string;
  /** Keys of runs that were in it at the end, if it was empty at the beginning. */
  readonly runs: readonly string[];
}

/** A process had a worker's name. */
export interface NameHold {
  readonly pid: number;
  readonly name: string;
  readonly from: number;
  /** When it ended. */
  readonly to: number;
  /** Whether it ended because it saw that another has the name. */
  readonly hasLostName: boolean;
}

/** How far the clock of Redis was off the machine's, until the next one. */
export interface StoreClock {
  readonly from: number;
  readonly offsetMs: number;
}

/** How far the clock that a process writes journals by was off the machine's, until the next one of the process. */
export interface ProcessOffset {
  readonly pid: number;
  readonly from: number;
  readonly offsetMs: number;
}

/** The parent of a redis-server was killed, and started again. */
export interface Orphaning {
  /** Of the server. */
  readonly pid: number;
  /** Whether the server was started so that it ends with its parent. */
  readonly isBound: boolean;
  /** Whether it ended before the next parent started. */
  readonly endedAlone: boolean;
  /** Whether it lived beside the next server. */
  readonly livedBesideNext: boolean;
}

/** What became of a notification of the outbox. */
export interface NoticeOutcome {
  readonly key: string;
  readonly lane: string;
  readonly state: "waiting" | "sent" | "gave_up";
  readonly putAt: number;
  /** When it first arrived; undefined: it did not. */
  readonly arrivedAt: number | undefined;
}

/** Everything that the checker looks at. Times in UTC ms of one machine. */
export interface History {
  /** Alerts that were answered 202, with the run that the answer named. */
  readonly accepted: readonly {
    readonly fingerprint: string;
    readonly runId: string;
    readonly askedAt: number;
    readonly answeredAt: number;
  }[];
  readonly runs: readonly RunRecord[];
  readonly arrivals: readonly Arrival[];
  readonly freezes: readonly Freeze[];
  readonly killSwitches: readonly KillSwitch[];
  /** Values that runs set and took back, and that somebody else set. */
  readonly writes: readonly ValueWrite[];
  readonly unfit: readonly UnfitTime[];
  readonly names: readonly NameHold[];
  readonly storeClocks: readonly StoreClock[];
  readonly offsets: readonly ProcessOffset[];
  readonly orphanings: readonly Orphaning[];
  readonly notices: readonly NoticeOutcome[];
  /** Times in which each new connection to the mail server was answered a byte every now and then, without end. */
  readonly trickles: readonly { readonly from: number; readonly to: number }[];
  /** Times in which Redis could not be written. */
  readonly outages: readonly { readonly from: number; readonly to: number }[];
  /** Effects permitted per window of the bucket. */
  readonly limit: { readonly max: number; readonly windowMs: number };
  /** Steps that a person must permit. */
  readonly needsApproval: readonly string[];
}

/** What is wrong, one sentence each. */
export type Violations = readonly string[];
