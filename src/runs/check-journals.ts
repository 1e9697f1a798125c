import type { Clock } from "../core/clock.ts";
import type { WorkerHandle } from "../core/worker-handle.ts";

/** What the check of the ledger tells; `fault` is a metric label. */
export interface CheckObserver {
  found(fault: { readonly fault: string; readonly about: string }): void;
  failed(error: unknown): void;
}

/** Looks at the whole ledger now and every `everyMs`, by whichever process comes first; a look that fails is repeated with the next. */
export function startJournalCheck(options: {
  readonly check: () => Promise<readonly { readonly fault: string; readonly about: string }[]>;
  readonly clock: Clock;
  readonly everyMs: number;
  readonly drain: AbortSignal;
  readonly observer: CheckObserver;
}): WorkerHandle {
  const { clock, observer, drain } = options;
  const loop = async (): Promise<void> => {
    while (!drain.aborted) {
      try {
        for (const fault of await options.check()) observer.found(fault);
      } catch (error) {
        observer.failed(error);
      }
      await clock.sleep(options.everyMs, drain).catch(() => undefined);
    }
  };
  const running = loop();
  return { close: async () => running };
}
