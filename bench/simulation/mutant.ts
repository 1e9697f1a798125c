import type { Action } from "../../src/core/action.ts";
import type { Role } from "../../src/core/role.ts";
import type { EngineDeps } from "../../src/runs/engine/engine-deps.ts";
import type { Intervals } from "../../src/runs/engine/move.ts";
import type { FaultKind } from "./faults.ts";
import type { JournalWrapper, QuestionsWrapper } from "./simulated-store.ts";

/** One way in which the protocol could be broken. It wraps ports; the product has no switch for it. */
export interface Mutant {
  readonly name: string;
  /** What is broken, one sentence. */
  readonly says: string;
  /** Kinds of faults that it takes; the hunt for it has only these. Absent: the schedules draw them. */
  readonly faults?: readonly FaultKind[];
  /** In place of the scripts. */
  readonly journal?: JournalWrapper;
  /** In place of the script of an answer, and of what is read before it. */
  readonly questions?: QuestionsWrapper;
  /** The role with which a person's answer is taken; `present`: the one of now. */
  readonly role?: (present: Role, first: Role) => Role;
  /** A worker does not see that the store is unfit. */
  readonly isBlind?: true;
  /** In place of what a worker's engine reaches. `present`: the documents as they are now. */
  readonly engine?: (deps: EngineDeps, present: EngineDeps["runbooks"]) => EngineDeps;
  readonly action?: (action: Action) => Action;
  readonly intervals?: Intervals;
  /** In place of what a sweep finds; `all`: the runs with their states. */
  readonly due?: (due: readonly string[], stateOf: (runId: string) => string | undefined) => readonly string[];
}
