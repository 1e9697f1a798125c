import { z } from "zod";
import { cacheLifetimes } from "./prompt-layout.ts";
import type { Shape } from "./shape.ts";
import { spanKinds } from "./volatile-span.ts";

/** Most blocks of one prefix that are taken. */
export const maxBlocks = 1000;

/** Whose words a block holds, in the order in which a provider's cache sees them. */
export const blockRoles = ["tools", "system", "user", "assistant"] as const;

/** See {@link blockRoles}. */
export type BlockRole = (typeof blockRoles)[number];

const digest = z.string().regex(/^[0-9a-f]{16,64}$/, "16 to 64 hexadecimal digits");

/** One block of a prompt as hashes; see {@link PrefixBlock}. */
export const prefixBlockSchema = z.strictObject({
  role: z.enum(blockRoles),
  /** What it is: `tool`, `text`, `image`, `tool_use`, `tool_result` … */
  kind: z.string().regex(/^[\w.-]{1,40}$/),
  /** Of the serialised bytes, cache markers left out. */
  hash: digest,
  /** By the provider's count or an estimate; scaled to the measured total before it is used. */
  tokens: z.int().min(0).max(10_000_000),
  /** Key of the layer that it was rendered from. */
  layer: z
    .string()
    .regex(/^[a-z0-9_-]{1,40}$/)
    .optional(),
  /** Lifetime of the cache marker on this block. */
  mark: z.enum(cacheLifetimes).optional(),
  /** Hash of the canonical form: sorted keys, `\n`, no blanks at ends of lines. Absent when it equals `hash`. */
  canonical: digest.optional(),
  /** Hash of the canonical form with volatile spans replaced by their kind. Absent when there are none. */
  masked: digest.optional(),
  /** Kinds of the spans that were replaced, and their tokens together. */
  spans: z.array(z.enum(spanKinds)).max(spanKinds.length).optional(),
  spanTokens: z.int().min(0).max(1_000_000).optional(),
});

/** The prompt of one request as the application reports it; see {@link Prefix}. */
export const prefixSchema = z.strictObject({
  /** In the order in which the cache sees them: tools, system, messages. */
  blocks: z.array(prefixBlockSchema).min(1).max(maxBlocks),
  /** Hash of everything else that breaks the cache of the messages: tool choice, thinking, output format, cache key. */
  parameters: digest.optional(),
  /** Texts of blocks, by index; only when the application has opted in. Redacted before they are kept. */
  texts: z
    .array(z.strictObject({ block: z.int().min(0).max(maxBlocks), text: z.string().max(20_000) }))
    .max(40)
    .optional(),
});

/** One block of a prompt: hashes and counts, never its text. */
export type PrefixBlock = Shape<typeof prefixBlockSchema>;

/** The prompt of one request: what the provider's cache is keyed by. */
export type Prefix = Shape<typeof prefixSchema>;

/** Why the cache was missed: a closed set, and the metric label. The first eleven and `unavailable` are the providers' own words. */
export const missReasons = [
  "model_changed",
  "system_changed",
  "tools_changed",
  "messages_changed",
  "prompt_cache_key_changed",
  "text_format_changed",
  "reasoning_effort_changed",
  "verbosity_changed",
  "context_compacted",
  "input_changed",
  "service_tier_changed",
  "previous_not_found", // The provider no longer knows the request to compare with: no verdict.
  "unavailable", // The provider has no verdict.
  "below_minimum", // A marker was set and nothing was cached: the prefix is shorter than the model's minimum.
  "ttl_expired", // The prompt did not diverge and was not read: its entry had expired.
  "other",
] as const;

/** See {@link missReasons}. */
export type MissReason = (typeof missReasons)[number];

/** Why one request missed the cache. `missedTokens` is an estimate, not billing; absent when the provider gave none. */
export const cacheMissSchema = z.object({ reason: z.enum(missReasons), missedTokens: z.exactOptional(z.number()) });

/** See {@link cacheMissSchema}. */
export type CacheMiss = Shape<typeof cacheMissSchema>;
