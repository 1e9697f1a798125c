import type { Redis } from "ioredis";
import type { RunRequest } from "../../packages/sdk/src/wire/runs.ts";
import { createAcceptStore, createRunbookBytes } from "../../src/alerts/redis-store.ts";
import type { AcceptWrite } from "../../src/alerts/store.ts";
import type { Instant } from "../../src/core/clock.ts";

/** A run as a test has it accepted. `fingerprint`: of its alert, the run's id unless said. `at`: when, now unless said. */
export interface AcceptedForTest extends Pick<NonNullable<AcceptWrite["run"]>, "joining"> {
  readonly runId: string;
  readonly request: RunRequest;
  readonly fingerprint?: string;
  readonly at?: Instant;
}

/** Has a real Redis accept a run, or join the open one of that id when `joining` says what to tell it. Throws when neither happens. */
export async function acceptRun(redis: Redis, { runId, request, fingerprint = runId, joining, at }: AcceptedForTest): Promise<void> {
  const now = at ?? Date.now();
  const { runbookId, runbookSha, mode, source } = request;
  const bytes = createRunbookBytes(redis);
  await bytes.put(runbookSha, "# Runbook: Contract\n");
  const times = { startsAt: 1, latestStartsAt: 1, lastSeenAt: 1, count: 1, recentStarts: [1] };
  const [reply] = await createAcceptStore(redis, { now: () => now, bytes }).accept([
    {
      runbookId,
      fingerprint,
      expectedVersion: 0,
      episode: { runbookId, fingerprint, ...times },
      run: {
        id: runId,
        summary: { id: runId, runbookId, runbookSha, mode, state: "queued", source, acceptedAt: 1 },
        accepted: { at: now, kind: "accepted", runId, request },
        openKey: runId,
        claims: [],
        ...(joining !== undefined && { joining }),
      },
    },
  ]);
  if (reply?.kind !== (joining === undefined ? "created" : "joined")) throw new Error(`Not accepted: ${reply?.kind}`);
}
