import { type CacheLifetime, lifetimeMs } from "../../../packages/sdk/src/wire/prompt-layout.ts";

/** How one provider's prompt cache works for one model. */
export interface CacheRules {
  /** Blocks that one marker looks at, its own included, for an entry that can be read. */
  readonly lookbackBlocks: number;
  /** Most markers of one request that are written. */
  readonly maxMarkers: number;
  /** A shorter prefix is neither written nor read, without an error. */
  readonly minTokens: number;
  /** Lifetimes that can be chosen, the shortest first. */
  readonly lifetimes: readonly CacheLifetime[];
  /** Milliseconds of each lifetime; a demonstration divides them. */
  readonly lifetimeMs: Readonly<Record<CacheLifetime, number>>;
  /** What the provider marks automatically: nothing, the prompt's end, or the end of every block. */
  readonly automatic: "nothing" | "end" | "everywhere";
}

/**
 * Least tokens of a prefix by model, as Anthropic's pages gave them in 2026; where two pages disagree, the larger. Nothing that was
 * measured changes it: where a smaller prefix is cached after all, the replay tells fewer reads than there were, and its calibration says so.
 */
const anthropicMinimums: Readonly<Record<string, number>> = {
  "claude-opus-5": 512,
  "claude-opus-4-8": 4096,
  "claude-opus-4-7": 4096,
  "claude-opus-4-6": 4096,
  "claude-opus-4-5": 4096,
  "claude-opus-4-1": 1024,
  "claude-opus-4": 1024,
  "claude-sonnet-5": 1024,
  "claude-sonnet-4-6": 2048,
  "claude-sonnet-4-5": 1024,
  "claude-sonnet-4": 1024,
  "claude-haiku-4-5": 4096,
  "claude-3-5-haiku": 2048,
};

/** Of a model that is not in the table. */
const largestMinimum = 4096;

/**
 * The published rules, or undefined for a provider whose rules are not known. `timeFactor` divides the lifetimes, as a demonstration does.
 * Anthropic: https://platform.claude.com/docs/en/build-with-claude/prompt-caching · OpenAI: https://platform.openai.com/docs/guides/prompt-caching
 */
export function cacheRulesOf(provider: string, model: string, timeFactor = 1): CacheRules | undefined {
  const divided = {
    "5m": lifetimeMs["5m"] / timeFactor,
    "30m": lifetimeMs["30m"] / timeFactor,
    "1h": lifetimeMs["1h"] / timeFactor,
    "12h": lifetimeMs["12h"] / timeFactor,
  };
  const name = model
    .replace(/^.*\b(?=claude-|gpt-|o\d)/, "")
    .replaceAll(/[-@](?:\d{8}|\d{4}-\d{2}-\d{2}|latest|v\d+(?::\d+)?)(?=$|[-@])/g, "");
  if (name.startsWith("claude-")) {
    return {
      lookbackBlocks: 20,
      maxMarkers: 4,
      minTokens: anthropicMinimums[name] ?? largestMinimum,
      lifetimes: ["5m", "1h"],
      lifetimeMs: divided,
      automatic: "nothing",
    };
  }
  if (provider !== "openai" && provider !== "azure.ai.openai") return undefined;
  const version = /^gpt-(\d+)(?:\.(\d+))?/.exec(name);
  const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)];
  if (major > 5 || (major === 5 && minor >= 6)) {
    // Earlier ends of the prompt are breakpoints too, and the latest 80 are looked at; three more can be set.
    return { lookbackBlocks: 80, maxMarkers: 3, minTokens: 1024, lifetimes: ["30m", "12h"], lifetimeMs: divided, automatic: "end" };
  }
  // Before 5.6 the cache is automatic and lasts 5 to 10 minutes of idleness; the shorter is assumed.
  return {
    lookbackBlocks: Number.POSITIVE_INFINITY,
    maxMarkers: 0,
    minTokens: 1024,
    lifetimes: ["30m"],
    lifetimeMs: { ...divided, "30m": divided["5m"] },
    automatic: "everywhere",
  };
}
