import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import type { Mode } from "../../packages/sdk/src/wire/runs.ts";
import type { Role } from "../../src/core/role.ts";
import type { KillSwitch } from "../chaos/history.ts";
import type { CallWorld } from "./inflict.ts";
import type { TimedProcess } from "./process-clock.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { SimulatedStore } from "./simulated-store.ts";
import type { SimulatedTarget } from "./simulated-target.ts";

/** A run as it was accepted. */
export interface AcceptedRun {
  /** As its request spells it. */
  readonly target: string;
  readonly document: Runbook;
  readonly mode: Mode;
}

/** An answer as a person has sent it. */
export interface SentAnswer {
  readonly questionId: string;
  readonly answer: string;
  readonly by: string;
  readonly role: Role;
}

/** Everything that a fault can reach. */
export interface World extends CallWorld {
  readonly store: SimulatedStore;
  readonly target: SimulatedTarget;
  /** The store's server, whose clock may be set. */
  readonly storeProcess: TimedProcess;
  readonly hasReplicas: boolean;
  readonly processes: Map<number, SimulatedProcess>;
  readonly runs: Map<string, AcceptedRun>;
  /** The documents as they are now, by their id. */
  readonly present: Map<string, Runbook>;
  /** Questions that people are about to answer. */
  readonly announced: Set<string>;
  /** The role of each person, which may end while a question is open. */
  readonly roles: Map<string, Role>;
  /** The role with which an answer is taken. */
  readonly roleOf: (present: Role, first: Role) => Role;
  /** Every answer that a person has sent, with the role at that moment. */
  readonly answersSent: SentAnswer[];
  readonly killSwitches: KillSwitch[];
  /** When a person asked for a stop, by run. */
  readonly stopsAsked: Map<string, number>;
}
