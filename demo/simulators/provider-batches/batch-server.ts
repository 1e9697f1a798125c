import type { Clock } from "../../../src/core/clock.ts";
import type { BatchQuirk } from "./batch-quirk.ts";

/** Everything has a default. */
export interface BatchServerOptions {
  /** 0, the default, takes any free one. */
  readonly port?: number;
  readonly seed?: number;
  readonly clock?: Pick<Clock, "now">;
  /** From a batch's creation to its end; 2 s. More than 24 h lets it expire. */
  readonly durationMs?: number;
  /** From a cancellation to the end; 500 ms. */
  readonly cancelMs?: number;
}

/** What happened at a provider: evidence that owes nothing to us. */
export interface BatchServerStats {
  readonly requests: number;
  /** Batches that were created, whether or not the answer arrived. */
  readonly created: number;
  /** Sum over all batches that have ended. */
  readonly billedMicroUsd: number;
}

/** A running provider. Disposing it ends every connection. */
export interface BatchServer extends AsyncDisposable {
  readonly url: string;
  stats(): BatchServerStats;
  /** Switches a quirk on; disposing the answer switches it off. */
  inject(quirk: BatchQuirk): Disposable;
}
