import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import type { Mode } from "../../packages/sdk/src/wire/runs.ts";
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
  /** Questions that a person will answer. */
  readonly announced: Set<string>;
  readonly killSwitches: KillSwitch[];
  /** When a person asked for a stop, by run. */
  readonly stopsAsked: Map<string, number>;
  clockJumped: boolean;
}
