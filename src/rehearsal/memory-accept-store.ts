import type { Freeze } from "../../packages/sdk/src/wire/freezes.ts";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import { type Episode, withoutRun } from "../alerts/episode.ts";
import type { AcceptResult, AcceptStore, AcceptWrite } from "../alerts/store.ts";
import type { Clock } from "../core/clock.ts";
import { describeFreeze, freezeScopesOf, isFrozenBy } from "../core/freeze.ts";
import { StoreUnavailable } from "../core/store-unavailable.ts";
import type { Claim } from "../core/verdict.ts";
import type { RunbookBytes } from "../runbooks/runbook-bytes.ts";

/** A run as the fake keeps it. */
export interface MemoryRun {
  readonly summary: RunSummary;
  readonly journal: readonly JournalEntry[];
}

/** The store of accepts in memory, with handles that a test turns. */
export interface MemoryAcceptStore extends AcceptStore, RunbookBytes {
  runs(): readonly MemoryRun[];
  /** What the run was told about its alert. */
  resolvedOf(runId: string): string | undefined;
  /** What the run was told of alerts that have joined it, in order. */
  joinedOf(runId: string): readonly string[];
  /** Ends it without its having heard of any alert that joined it. */
  endRun(runId: string): void;
  freeze(freeze: Freeze): void;
  unfreeze(scope: string): void;
  /** While true every call rejects with `StoreUnavailable`. */
  failing(fails: boolean): void;
  /** Called before each write is looked at; a test changes episodes here. */
  beforeWrite(hook: ((write: AcceptWrite) => void) | undefined): void;
  episodes(): readonly Episode[];
}

/** A fake behind `AcceptStore` and `RunbookBytes`; passes the same contract suites as the store in Redis. */
export function createMemoryAcceptStore(clock: Pick<Clock, "now">): MemoryAcceptStore {
  const episodes = new Map<string, { version: number; episode: Episode }>();
  const runs = new Map<string, MemoryRun>();
  const open = new Map<string, string>();
  const buckets = new Map<string, { spent: number; endsAt: number }>();
  const resolutions = new Map<string, string>();
  const joins = new Map<string, readonly { readonly episode: string; readonly why: string }[]>();
  const sources = new Map<string, string>();
  const freezes = new Map<string, Freeze>();
  let down = false;
  let hook: ((write: AcceptWrite) => void) | undefined;

  const keyOf = (key: { readonly runbookId: string; readonly fingerprint: string }) => JSON.stringify([key.runbookId, key.fingerprint]);
  const checkUp = () => {
    if (down) throw new StoreUnavailable(new Error("switched off by the test"));
  };
  const store = (write: AcceptWrite, episode: Episode) => episodes.set(keyOf(write), { version: write.expectedVersion + 1, episode });

  function take(claims: readonly Claim[]): AcceptResult | undefined {
    const now = clock.now();
    for (const claim of claims) {
      if (!("bucket" in claim)) continue;
      const bucket = buckets.get(claim.bucket);
      const isOver = bucket !== undefined && bucket.endsAt > now && bucket.spent + claim.amount > claim.max;
      if (isOver) return { kind: "refused", claim: claim.bucket, retryAt: bucket.endsAt };
    }
    for (const claim of claims) {
      if (!("bucket" in claim)) continue;
      const bucket = buckets.get(claim.bucket);
      const live = bucket !== undefined && bucket.endsAt > now ? bucket : { spent: 0, endsAt: now + claim.windowMs };
      buckets.set(claim.bucket, { spent: live.spent + claim.amount, endsAt: live.endsAt });
    }
    return undefined;
  }

  function accept(write: AcceptWrite): AcceptResult {
    hook?.(write);
    if ((episodes.get(keyOf(write))?.version ?? 0) !== write.expectedVersion) return { kind: "conflict" };
    if (write.run === undefined) {
      store(write, write.episode);
      if (write.resolves !== undefined) resolutions.set(write.resolves.runId, write.resolves.why);
      return { kind: "updated" };
    }
    const { runbookId, target } = write.run.summary;
    const query = { scopes: freezeScopesOf({ runbookId, targets: target === undefined ? [] : [target] }), undo: false };
    const freeze = [...freezes.values()].find((standing) => isFrozenBy(query, standing));
    if (freeze !== undefined) return { kind: "frozen", reason: describeFreeze(freeze) };
    const holder = open.get(write.run.openKey);
    if (holder !== undefined) {
      store(write, { ...write.episode, runId: holder });
      const { joining: why } = write.run;
      if (why !== undefined) joins.set(holder, [...(joins.get(holder) ?? []), { episode: keyOf(write), why }]);
      return { kind: "joined", runId: holder };
    }
    const refusal = take(write.run.claims);
    if (refusal !== undefined) return refusal;
    runs.set(write.run.id, { summary: write.run.summary, journal: [write.run.accepted] });
    open.set(write.run.openKey, write.run.id);
    store(write, { ...write.episode, runId: write.run.id });
    return { kind: "created", runId: write.run.id };
  }

  return {
    async read(keys) {
      checkUp();
      return keys.map((key) => episodes.get(keyOf(key)) ?? { version: 0 });
    },
    async accept(writes) {
      checkUp();
      return writes.map((write) => accept(write));
    },
    async put(sha256, source) {
      checkUp();
      sources.set(sha256, source);
    },
    get: async (sha256) => sources.get(sha256),
    runs: () => [...runs.values()],
    resolvedOf: (runId) => resolutions.get(runId),
    joinedOf: (runId) => (joins.get(runId) ?? []).map(({ why }) => why),
    endRun(runId) {
      for (const [key, holder] of open) if (holder === runId) open.delete(key);
      for (const { episode: key } of joins.get(runId) ?? []) {
        const stored = episodes.get(key);
        if (stored?.episode.runId === runId) episodes.set(key, { version: stored.version + 1, episode: withoutRun(stored.episode) });
      }
    },
    freeze(freeze) {
      freezes.set(freeze.scope, freeze);
    },
    unfreeze(scope) {
      freezes.delete(scope);
    },
    failing(fails) {
      down = fails;
    },
    beforeWrite(next) {
      hook = next;
    },
    episodes: () => [...episodes.values()].map(({ episode }) => episode),
  };
}
