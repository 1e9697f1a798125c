import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { RunbookFolder } from "./runbook-folder.ts";

/** What a watch works with. */
export interface RunbookWatchDeps {
  readonly log: Pick<Log, "info" | "warn" | "error">;
  readonly clock: Pick<Clock, "after">;
}

/** A look that takes longer is logged. */
const slowLookMs = 10_000;

/**
 * One look at the runbook folder, or the one in progress: a folder that does not answer is asked once. What is new is logged once, and so is a
 * file that is not good, or a folder that cannot be read, until it is. Never rejects.
 */
export function createRunbookWatch(library: Pick<RunbookFolder, "refresh">, { log, clock }: RunbookWatchDeps): () => Promise<void> {
  let reported = "";
  let failed = "";
  let looking: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    const slow = clock.after(slowLookMs, () =>
      log.warn({ afterMs: slowLookMs }, "The runbook folder does not answer; the running set stays until it does."),
    );
    try {
      const { changed, broken } = await library.refresh();
      failed = "";
      if (changed.length > 0) log.info({ runbooks: changed }, "Runbooks were loaded.");
      const report = JSON.stringify(broken.map(({ file, diagnostics }) => [file, diagnostics]));
      if (report === reported) return;
      reported = report;
      for (const { file, diagnostics } of broken)
        log.error({ file, diagnostics: diagnostics.slice(0, 5) }, "A runbook is not good; its last good version, if any, stays.");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason === failed) return;
      failed = reason;
      log.error(
        { reason, fix: "`runbookd new <id>` makes the folder and a first runbook" },
        "The runbook folder cannot be read; the running set stays.",
      );
    } finally {
      slow.stop();
      looking = undefined;
    }
  };
  return () => (looking ??= look());
}
