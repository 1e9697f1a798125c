import type { SampleGroup } from "../../../packages/sdk/src/wire/caches.ts";
import { maskSecrets } from "../../../packages/sdk/src/wire/mask-secrets.ts";
import { type Prefix, prefixSchema } from "../../../packages/sdk/src/wire/prefix.ts";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import { dayMs } from "../../core/duration.ts";
import type { PrefixSample } from "../../core/prefix-sample.ts";

/** Prefix samples by group, capped: the newest of each group, for a week. Every member rejects with StoreUnavailable when it cannot be asked. */
export interface PrefixSampleStore {
  /** Keeps samples in the order given; texts beyond the newest {@link maxTexts} of a group go. */
  add(samples: readonly PrefixSample[]): Promise<void>;
  /** Groups that have samples, the one with the newest sample first. */
  groups(): Promise<readonly SampleGroup[]>;
  /** The newest `limit` samples of a group, oldest first. */
  read(group: SampleGroup, limit: number): Promise<readonly PrefixSample[]>;
}

/** Caps of a store. */
export interface SampleCaps {
  /** Samples kept of one group. */
  readonly samples: number;
  /** Groups kept; beyond it the group whose newest sample is oldest goes. */
  readonly groups: number;
  /** Samples with texts kept of one group. */
  readonly texts: number;
  readonly retentionMs: number;
}

/** About a hundred megabytes in the worst case; a busy prompt fills its part within an hour and has enough then. */
export const defaultSampleCaps: SampleCaps = { samples: 2000, groups: 100, texts: 20, retentionMs: 7 * dayMs };

/** A time to the first token that is assumed when none was reported: answers of long prompts begin after some seconds. */
const assumedTtftMs = 4000;

/** A reported prefix, or in one sentence each what is wrong with it. */
export function readPrefix(value: unknown): { readonly prefix?: Prefix; readonly issues: readonly string[] } {
  if (value === undefined) return { issues: [] };
  const parsed = prefixSchema.safeParse(value);
  if (parsed.success) return { prefix: parsed.data, issues: [] };
  return { issues: parsed.error.issues.slice(0, 5).map(({ path, message }) => `prefix.${path.join(".")}: ${message}`) };
}

/** What is kept of a counted event for the analysis; nothing of a request that failed. `redact` sees every text before it is kept, and what looks like a secret goes besides. */
export function sampleOf(event: UsageEvent, prefix: Prefix, redact: (text: string) => string): PrefixSample | undefined {
  if (event.outcome !== "ok") return undefined;
  const { uncached, read, write5m, write30m, write1h, write12h, output } = event.tokens;
  return {
    id: event.id,
    // A report comes when the request has ended.
    at: event.at - (event.latencyMs ?? 0),
    ttftMs: event.ttftMs ?? event.latencyMs ?? assumedTtftMs,
    prompt: event.prompt,
    ...(event.promptVersion === undefined ? {} : { promptVersion: event.promptVersion }),
    provider: event.provider,
    model: event.model,
    ticketId: event.ticketId,
    variant: event.variant,
    blocks: prefix.blocks,
    ...(prefix.parameters === undefined ? {} : { parameters: prefix.parameters }),
    ...(event.anomaly === undefined ? { measured: { uncached, read, write5m, write30m, write1h, write12h, output } } : {}),
    ...(event.cacheMiss === undefined ? {} : { miss: event.cacheMiss }),
    ...(prefix.texts === undefined ? {} : { texts: prefix.texts.map(({ block, text }) => ({ block, text: maskSecrets(redact(text)) })) }),
  };
}
