import type { Runbook } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { Clock } from "../../core/clock.ts";
import type { EngineDeps } from "./engine-deps.ts";
import type { WatchFreeze } from "./freeze-watch.ts";
import type { RunWriter } from "./run-writer.ts";

/** The engine's ports, a clock and the ids of new questions. */
export interface ActiveRunDeps extends EngineDeps {
  readonly clock: Clock;
  /** Returns the id of a new question. */
  readonly questionId: () => string;
  readonly watchFreeze: WatchFreeze;
}

/** A claimed run while this worker executes it. */
export interface ActiveRun {
  readonly runbook: Runbook;
  readonly writer: RunWriter;
  readonly deps: ActiveRunDeps;
}
