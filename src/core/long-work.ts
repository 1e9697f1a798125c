import type { Json } from "../../packages/sdk/src/wire/json.ts";

/** Work in another system that takes longer than one request: how far it is, or what came of it. */
export type LongWork<Result> =
  /** Asked again after `afterMs`, with `progress` handed back. `sentence` says for people what it waits for. */
  | { readonly kind: "running"; readonly afterMs: number; readonly progress: Json; readonly sentence: string }
  | { readonly kind: "done"; readonly result: Result };

/** How long work is begun and asked about. */
export interface LongWorkCall {
  /** The same key is the same work: it is begun once, also when the process that began it died before it had an answer. */
  readonly key: string;
  /** What the last answer `running` said; undefined at the first call. */
  readonly progress: Json | undefined;
  readonly signal: AbortSignal;
}
