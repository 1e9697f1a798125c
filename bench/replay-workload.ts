import type { Marker } from "../src/llm/caching/cache-replay.ts";
import { createWorkload, layOut, marksOf } from "../test/builders/cache-workload.ts";

/** Requests with their blocks and markers, and the least tokens that are cached. */
export interface ReplayWorkload {
  readonly requests: readonly {
    readonly atSeconds: number;
    readonly blocks: readonly { readonly hash: string; readonly tokens: number }[];
    readonly markers: readonly Marker[];
  }[];
  readonly minTokens: number;
}

/** Tokens by how they are billed. */
export interface ReplayRow {
  readonly read: number;
  readonly write5m: number;
  readonly write1h: number;
  readonly uncached: number;
}

/** The first `count` calls of a busy workload with markers behind conventions, guide and the last turn, an hour for what is shared. */
export function createReplayWorkload(count: number): ReplayWorkload {
  // 14 calls a ticket, 40 tickets an hour, and some to spare.
  const calls = createWorkload({ seed: 7, hours: Math.ceil(count / 500), ticketsPerHour: 40, turns: 14, gapSeconds: 22 });
  if (calls.length < count) throw new Error(`only ${calls.length} calls of ${count}`);
  // One object for each different block, as a store of samples would not repeat them either.
  const known = new Map<string, { readonly hash: string; readonly tokens: number }>();
  const share = (hash: string, tokens: number) => {
    const block = known.get(hash) ?? { hash, tokens };
    known.set(hash, block);
    return block;
  };
  return {
    minTokens: 1024,
    requests: calls.slice(0, count).map((call) => {
      const blocks = layOut(call, "static first");
      return {
        atSeconds: call.atMs / 1000,
        markers: marksOf(blocks, { layers: "1h" }),
        blocks: blocks.map(({ hash, tokens }) => share(hash, tokens)),
      };
    }),
  };
}
