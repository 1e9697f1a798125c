import type { CacheMiss, PrefixBlock } from "../../packages/sdk/src/wire/prefix.ts";
import type { Instant } from "./clock.ts";

/** Measured input tokens of one request, each token once, and its output. */
export interface MeasuredTokens {
  readonly uncached: number;
  readonly read: number;
  readonly write5m: number;
  readonly write30m: number;
  readonly write1h: number;
  readonly write12h: number;
  readonly output: number;
}

/** What is kept of one request for the analysis of its prompt's caching. */
export interface PrefixSample {
  /** The provider's request id. */
  readonly id: string;
  /** When the request was sent, UTC ms. */
  readonly at: Instant;
  /** From sending to the first token: from then on what it wrote can be read. */
  readonly ttftMs: number;
  readonly prompt: string;
  readonly promptVersion?: string;
  readonly provider: string;
  readonly model: string;
  readonly ticketId: string;
  readonly variant: string;
  readonly blocks: readonly PrefixBlock[];
  readonly parameters?: string;
  /** Absent when the usage contradicted itself. */
  readonly measured?: MeasuredTokens;
  readonly miss?: CacheMiss;
  readonly texts?: readonly { readonly block: number; readonly text: string }[];
}
