import { createAuditReader } from "../audit/redis-audit-reader.ts";
import { recordEndedRuns } from "../audit/redis-ended-runs.ts";
import { createAuditRoutes } from "../audit/routes.ts";
import { auditAnchorPath } from "../platform/config/data-folder.ts";
import { createAnchorFile, createAuditAnchoring } from "./anchor-audit.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

const anchorEveryMs = 5000;

/** The record of what people did. Its head is kept in the data folder, so that a log which was removed or replaced as a whole is noticed. */
export function registerAudit(runtime: Runtime, shared: Pick<ServerShared, "redis" | "audit" | "dataFolder">): Registration {
  const { clock } = runtime;
  const { redis, audit, dataFolder } = shared;
  const file = createAnchorFile(auditAnchorPath(dataFolder));
  const reader = createAuditReader(
    redis,
    () => clock.now(),
    async () => file.read(),
  );
  const anchor = createAuditAnchoring({ reader, file, log: runtime.log });
  keepAnchored(runtime, async () => {
    await recordEndedRuns({ redis, audit, now: () => clock.now() });
    await anchor();
  });
  return { routes: createAuditRoutes(reader) };
}

/** A look that fails is made again: Redis or the folder may be away for a while. */
function keepAnchored({ clock, log, closers }: Runtime, anchor: () => Promise<void>): void {
  let anchoring: Promise<void> | undefined;
  const watching = clock.every(anchorEveryMs, () => {
    anchoring ??= anchor()
      .catch((error: unknown) => log.warn({ error }, "The head of the audit log could not be kept; it will be."))
      .finally(() => (anchoring = undefined));
  });
  closers.add("audit anchor", async () => {
    watching.stop();
    await anchoring;
  });
}
