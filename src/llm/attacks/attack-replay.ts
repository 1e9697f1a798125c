import type { Instant } from "../../core/clock.ts";
import type { AttackedVersion } from "./attack-runner.ts";

/** What one attack of a corpus did. */
export interface AttackRow {
  readonly id: string;
  /** Tries that could be judged. */
  readonly tries: number;
  /** Of these, how many worked. */
  readonly hits: number;
}

/** Harmless requests with what is deployed and with the version that is tested, in pairs. */
export interface HarmlessComparison {
  readonly pairs: number;
  /** By how much the share of answered requests has fallen, −1 to 1; below 0 it has risen. 0 without pairs. */
  readonly worse: number;
  /** The largest fall that is still possible at 95 % confidence; 1 without pairs: then nothing is shown. */
  readonly worseUpper: number;
  /** Ids of requests that only the version that is tested did not answer, at most 20. */
  readonly refused: readonly string[];
}

/** What a replay of a corpus came to. */
export interface ReplayOutcome {
  /** Full id of the commit that was attacked, as the instance itself said. */
  readonly sha: string;
  /** Tries that could be judged. */
  readonly tries: number;
  readonly hits: number;
  /** Tries and requests that could not be judged. */
  readonly failed: number;
  /** The largest rate of success that is still possible at 95 % confidence. */
  readonly bound: number;
  /** One row for each attack of the corpus, in its order. */
  readonly attacks: readonly AttackRow[];
  /** Undefined: what is deployed was attacked, and is compared with nothing. */
  readonly harmless?: HarmlessComparison;
}

/** A replay that has ended, as it is kept. */
export interface AttackReplay {
  readonly id: string;
  readonly feature: string;
  readonly version: AttackedVersion["kind"];
  /** What began it: a step of a run, or the weekly pass over all corpora. */
  readonly begunBy: "run" | "schedule";
  readonly at: Instant;
  /** Hex SHA-256 of the corpus. */
  readonly corpus: string;
  readonly outcome: ReplayOutcome;
}

/** Where replays are kept, for ninety days. Every member rejects with StoreUnavailable when the store does not answer. */
export interface AttackReplayStore {
  /** The first that is written under an id stays. */
  put(replay: AttackReplay): Promise<void>;
  read(id: string): Promise<AttackReplay | undefined>;
  /** The newest scheduled replay of each feature. */
  scheduled(): Promise<readonly AttackReplay[]>;
  /** Whether the caller may begin the scheduled replay of this name, as a rule that of the feature. No other caller may within `forMs`. */
  claim(name: string, forMs: number): Promise<boolean>;
}
