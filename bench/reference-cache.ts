import { createHash } from "node:crypto";
import type { ReplayRow, ReplayWorkload } from "./replay-workload.ts";

interface Entry {
  readonly readyAt: number;
  expiresAt: number;
  readonly livesSeconds: number;
}

const lookback = 20;
const readyDelaySeconds = 4;

/**
 * The replay as one would first write it down, after the simulator from which the rules were worked out: a hash of everything before it names each prefix, a map
 * holds the entries, and a read refreshes every entry on its way.
 */
export function replayByReference({ requests, minTokens }: ReplayWorkload): ReplayRow {
  const entries = new Map<string, Entry>();
  const sum = { read: 0, write5m: 0, write1h: 0, uncached: 0 };
  for (const { atSeconds, blocks, markers } of requests) {
    const keys: string[] = [];
    const upTo: number[] = [];
    let key = "";
    let tokens = 0;
    for (const block of blocks) {
      key = createHash("md5")
        .update(key + block.hash)
        .digest("hex");
      tokens += block.tokens;
      keys.push(key);
      upTo.push(tokens);
    }
    let best = -1;
    for (const { block } of markers) {
      for (let back = block; back > Math.max(-1, block - lookback); back -= 1) {
        const entry = entries.get(keys[back] ?? "");
        if (entry === undefined || entry.readyAt > atSeconds || entry.expiresAt < atSeconds) continue;
        best = Math.max(best, back);
        break;
      }
    }
    for (let block = 0; block <= best; block += 1) {
      const entry = entries.get(keys[block] ?? "");
      if (entry !== undefined && entry.expiresAt >= atSeconds) entry.expiresAt = atSeconds + entry.livesSeconds;
    }
    const read = best < 0 ? 0 : (upTo[best] ?? 0);
    let last = read;
    sum.read += read;
    for (const { block, ttl } of markers) {
      const covered = upTo[block] ?? 0;
      if (covered <= last || covered < minTokens) continue;
      sum[ttl === "1h" ? "write1h" : "write5m"] += covered - last;
      last = covered;
      const livesSeconds = ttl === "1h" ? 3600 : 300;
      entries.set(keys[block] ?? "", { readyAt: atSeconds + readyDelaySeconds, expiresAt: atSeconds + livesSeconds, livesSeconds });
    }
    sum.uncached += tokens - last;
  }
  return sum;
}
