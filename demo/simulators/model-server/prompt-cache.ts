import type { Instant } from "../../../src/core/clock.ts";
import type { CacheTtl, PromptBlock } from "./prompt-blocks.ts";

/** How a prompt's tokens are billed; the four parts sum to the whole prompt. */
export interface CacheSplit {
  readonly uncached: number;
  readonly read: number;
  readonly write5m: number;
  readonly write1h: number;
}

interface Entry {
  readonly ttl: CacheTtl;
  readyAt: Instant;
  expiresAt: Instant;
}

/** One provider cache. Entries belong to a workspace and, through the prefix hash, to a model. */
export interface PromptCache {
  /** What is read and written by a request that arrives at `now`; refreshes what it reads. Writes nothing yet. */
  lookup(workspace: string, blocks: readonly PromptBlock[], minTokens: number, now: Instant): CacheLookup;
  /** Makes the writes of a look readable from `readyAt` on: the moment at which the response starts. */
  write(lookup: CacheLookup, readyAt: Instant): void;
  readonly size: number;
}

/** A look, to be handed back to `write`. */
export interface CacheLookup {
  readonly split: CacheSplit;
  readonly writes: readonly { readonly key: string; readonly ttl: CacheTtl }[];
}

/** Positions that one breakpoint looks at, itself included. */
const lookback = 20;

/**
 * A prefix cache that follows the published rules: exact prefixes, at most {@link lookback} blocks back from each breakpoint, a model's minimum,
 * 5 minutes or 1 hour since the last use, readable only once the first response has started.
 * https://docs.claude.com/en/docs/build-with-claude/prompt-caching
 */
export function createPromptCache(ttlMs: Readonly<Record<CacheTtl, number>>): PromptCache {
  const entries = new Map<string, Entry>();

  const readable = (key: string, now: Instant): Entry | undefined => {
    const entry = entries.get(key);
    if (entry === undefined || entry.readyAt > now) return undefined;
    if (entry.expiresAt < now) {
      entries.delete(key);
      return undefined;
    }
    return entry;
  };

  return {
    lookup(workspace, blocks, minTokens, now) {
      const total = blocks.at(-1)?.prefixTokens ?? 0;
      let read = 0;
      let last = 0;
      let lastLong = 0;
      const writes: { key: string; ttl: CacheTtl }[] = [];
      for (const [index, block] of blocks.entries()) {
        if (block.breakpoint === undefined || block.prefixTokens < minTokens) continue;
        last = block.prefixTokens;
        if (block.breakpoint === "1h") lastLong = block.prefixTokens;
        for (let back = index; back >= 0 && back > index - lookback; back -= 1) {
          const earlier = blocks[back];
          const entry = earlier === undefined ? undefined : readable(`${workspace}:${earlier.prefixHash}`, now);
          if (earlier === undefined || entry === undefined) continue;
          entry.expiresAt = now + ttlMs[entry.ttl];
          read = Math.max(read, earlier.prefixTokens);
          break;
        }
        writes.push({ key: `${workspace}:${block.prefixHash}`, ttl: block.breakpoint });
      }
      const longEnd = Math.max(read, lastLong);
      const shortEnd = Math.max(longEnd, last);
      return {
        split: { uncached: total - shortEnd, read, write1h: longEnd - read, write5m: shortEnd - longEnd },
        writes,
      };
    },
    write(lookup, readyAt) {
      for (const { key, ttl } of lookup.writes) {
        const existing = entries.get(key);
        const expiresAt = readyAt + ttlMs[ttl];
        if (existing === undefined) entries.set(key, { ttl, readyAt, expiresAt });
        else {
          existing.readyAt = Math.min(existing.readyAt, readyAt);
          existing.expiresAt = Math.max(existing.expiresAt, expiresAt);
        }
      }
    },
    get size() {
      return entries.size;
    },
  };
}
