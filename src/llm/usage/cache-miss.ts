import { z } from "zod";
import { type CacheMiss, type MissReason, missReasons, type Prefix } from "../../../packages/sdk/src/wire/prefix.ts";
import type { TokenPartition } from "../../../packages/sdk/src/wire/usage.ts";
import { inputTokens, writtenTokens } from "./token-partition.ts";

/** What a provider said about a request's prefix. `clean`: it did not diverge from the request before. `none`: nothing was said, or nothing that is known. */
export type Diagnosis = { readonly kind: "clean" } | { readonly kind: "miss"; readonly miss: CacheMiss } | { readonly kind: "none" };

const tokens = z.number().min(0).max(10_000_000_000).nullish();

/** `diagnostics` of a message: https://platform.claude.com/docs/en/build-with-claude/prompt-caching */
const anthropic = z.looseObject({
  cache_miss_reason: z.looseObject({ type: z.string(), cache_missed_input_tokens: tokens }).nullable(),
});

/** `prompt_cache_diagnostics` of a response: https://platform.openai.com/docs/guides/prompt-caching */
const openAi = z.looseObject({ type: z.string(), reason: z.string().nullish(), cache_missed_tokens: tokens });

/** The providers' names of an answer that is no verdict. */
const renamed: Readonly<Record<string, MissReason>> = {
  previous_message_not_found: "previous_not_found",
  comparison_response_not_found: "previous_not_found",
};

/** Reads the diagnostics object as the provider wrote it; `undefined` is no diagnostics, `null` is Anthropic's "no divergence". Never throws. */
export function readDiagnostics(value: unknown): Diagnosis {
  if (value === null) return { kind: "clean" };
  const message = anthropic.safeParse(value);
  if (message.success) {
    const reason = message.data.cache_miss_reason;
    // Null here: the comparison has not ended yet.
    return reason === null ? { kind: "none" } : missOf(reason.type, reason.cache_missed_input_tokens);
  }
  const response = openAi.safeParse(value);
  if (!response.success) return { kind: "none" };
  const { type, reason, cache_missed_tokens: missed } = response.data;
  return type === "cache_hit" ? { kind: "clean" } : missOf(type === "cache_miss" ? (reason ?? "unavailable") : type, missed);
}

function missOf(name: string, missedTokens: number | null | undefined): Diagnosis {
  const reason = renamed[name] ?? missReasons.find((candidate) => candidate === name) ?? "other";
  return { kind: "miss", miss: missedTokens === null || missedTokens === undefined ? { reason } : { reason, missedTokens } };
}

/**
 * Why a request missed the cache: the provider's word where there is one, else what the counters tell. Below the minimum a provider caches nothing and
 * says nothing, and a prompt that did not diverge but was not read has outlived its entry.
 */
export function cacheMissOf(request: {
  readonly tokens: TokenPartition;
  readonly turn: number;
  readonly diagnosis: Diagnosis;
  readonly prefix?: Prefix;
}): CacheMiss | undefined {
  const { tokens: counted, turn, diagnosis, prefix } = request;
  if (diagnosis.kind === "miss") return diagnosis.miss;
  if (counted.read > 0 || inputTokens(counted) === 0) return undefined;
  const marked = prefix?.blocks.findLastIndex(({ mark }) => mark !== undefined) ?? -1;
  if (writtenTokens(counted) === 0) {
    if (marked < 0) return undefined;
    const upToMark = prefix?.blocks.slice(0, marked + 1).reduce((sum, block) => sum + block.tokens, 0) ?? 0;
    return { reason: "below_minimum", missedTokens: Math.min(upToMark, inputTokens(counted)) };
  }
  // The first turn has nothing that it could have diverged from.
  return diagnosis.kind === "clean" && turn > 0 ? { reason: "ttl_expired", missedTokens: writtenTokens(counted) } : undefined;
}
