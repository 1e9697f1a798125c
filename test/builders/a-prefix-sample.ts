import type { PrefixBlock } from "../../packages/sdk/src/wire/prefix.ts";
import { sha256 } from "../../src/core/json.ts";
import type { PrefixSample } from "../../src/core/prefix-sample.ts";

/** A block whose hash is that of a name: equal names are equal blocks. */
export function aBlock(name: string, tokens: number, change: Partial<PrefixBlock> = {}): PrefixBlock {
  return { role: "system", kind: "text", hash: blockHash(name), tokens, ...change };
}

/** The hash of a test block. */
export function blockHash(name: string): string {
  return sha256(name).slice(0, 16);
}

/** A request of the prompt `implement` with two blocks, all of it uncached. */
export function aPrefixSample(change: Partial<PrefixSample> & { readonly id: string }): PrefixSample {
  const blocks = change.blocks ?? [aBlock("guide", 3000, { mark: "5m" }), aBlock("question", 500, { role: "user" })];
  const total = blocks.reduce((sum, { tokens }) => sum + tokens, 0);
  return {
    at: 0,
    ttftMs: 2000,
    prompt: "implement",
    provider: "anthropic",
    model: "claude-sonnet-4-5",
    ticketId: "T-1",
    variant: "baseline",
    blocks,
    measured: { uncached: total, read: 0, write5m: 0, write30m: 0, write1h: 0, write12h: 0, output: 100 },
    ...change,
  };
}
