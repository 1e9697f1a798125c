import type { Log } from "../core/log.ts";
import type { RunbookFolder } from "./runbook-folder.ts";

/** One look at the runbook folder. What is new is told once, and a file that is not good until it is. Never rejects. */
export function createRunbookWatch(library: RunbookFolder, log: Pick<Log, "info" | "error">): () => Promise<void> {
  let reported = "";
  return async () => {
    try {
      const { changed, broken } = await library.refresh();
      if (changed.length > 0) log.info({ runbooks: changed }, "Runbooks were loaded.");
      const telling = JSON.stringify(broken.map(({ file, diagnostics }) => [file, diagnostics]));
      if (telling === reported) return;
      reported = telling;
      for (const { file, diagnostics } of broken)
        log.error({ file, diagnostics: diagnostics.slice(0, 5) }, "A runbook is not good; its last good version, if any, stays.");
    } catch (error) {
      log.error({ error }, "The runbook folder cannot be read; the running set stays.");
    }
  };
}
