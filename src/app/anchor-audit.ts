import { readFile, rename, writeFile } from "node:fs/promises";
import { z } from "zod";
import type { AuditAnchor } from "../audit/audit-anchor.ts";
import type { AuditReader } from "../audit/audit-reader.ts";
import type { Log } from "../core/log.ts";

const anchorSchema = z.object({ head: z.string(), count: z.number().int().min(0) });

/** Where a server keeps the audit log's head: a file of its own, which no command to Redis changes. */
export interface AnchorFile {
  /** Undefined when there is none yet or it cannot be read as one. */
  read(): Promise<AuditAnchor | undefined>;
  write(anchor: AuditAnchor): Promise<void>;
}

/** The file at `path`, mode 0600, replaced as a whole. */
export function createAnchorFile(path: string): AnchorFile {
  return {
    async read() {
      try {
        return anchorSchema.parse(JSON.parse(await readFile(path, "utf8")));
      } catch {
        return undefined;
      }
    },
    async write(anchor) {
      await writeFile(`${path}.new`, JSON.stringify(anchor), { mode: 0o600 });
      await rename(`${path}.new`, path);
    },
  };
}

/** What anchoring works with. */
export interface AnchorAuditDeps {
  readonly reader: Pick<AuditReader, "anchor">;
  readonly file: AnchorFile;
  readonly log: Log;
}

/**
 * Keeps the head of the audit log in the file and in the process's log, as often as it is called. A log that does not continue what was kept is
 * reported once and not kept: the file goes on to say what is missing until a person removes it.
 */
export function createAuditAnchoring({ reader, file, log }: AnchorAuditDeps): () => Promise<void> {
  let reported = "";
  return async () => {
    const stored = await file.read();
    const result = await reader.anchor(stored);
    if (result.kind === "broken") {
      if (reported !== result.what)
        log.error({ index: result.index, what: result.what }, "The audit log does not continue what was kept of it.");
      reported = result.what;
      return;
    }
    reported = "";
    const { head, count } = result.anchor;
    if (stored?.head === head && stored.count === count) return;
    await file.write(result.anchor);
    log.info({ head, count }, "The head of the audit log was kept.");
  };
}
