import type { ModelTableSource } from "./model-table.ts";

const openAiDeprecations = { source: "https://developers.openai.com/api/docs/deprecations", asOf: "2026-10-28" } as const;
const anthropicDeprecations = {
  source: "https://platform.claude.com/docs/en/about-claude/model-deprecations",
  asOf: "2026-11-26",
} as const;
const openAiModels = { source: "https://developers.openai.com/api/docs/models", asOf: "2026-11-30" } as const;
const anthropicModels = { source: "https://platform.claude.com/docs/en/about-claude/models/overview", asOf: "2026-11-30" } as const;

const chat = { tools: true, thinking: false, caching: true, batch: true, images: true, structured_outputs: true } as const;
const reasoning = { ...chat, thinking: true } as const;
const claude = { ...reasoning, documents: true } as const;

/**
 * What the providers' pages said of their models on the day that each row names. Data, not law: a provider's own list goes before it, and so does a table of
 * one's own. It fills in what lists leave out: OpenAI's has no lifecycle, and neither has what a provider recommends in a model's place.
 */
export const shippedModels: ModelTableSource = [
  openai("gpt-4o", { from: "2026-10-14", until: "2027-01-14", to: "gpt-6-luna" }, { contextTokens: 128_000, features: chat }),
  openai("gpt-4o-mini", { from: "2026-10-14", until: "2027-01-14", to: "gpt-6-luna" }, { contextTokens: 128_000, features: chat }),
  openai("gpt-4.1", { from: "2026-10-14", until: "2027-01-14", to: "gpt-6-luna" }, { contextTokens: 1_047_576, features: chat }),
  openai("gpt-4.1-mini", { from: "2026-10-14", until: "2027-01-14", to: "gpt-6-luna" }, { contextTokens: 1_047_576, features: chat }),
  {
    ...openai(
      "gpt-4.1-nano",
      { from: "2026-04-22", until: "2026-10-23", to: "gpt-5.6-luna" },
      { contextTokens: 1_047_576, features: chat },
    ),
    lifecycle: "retired",
  },
  openai("gpt-5", { from: "2026-06-11", until: "2026-12-11", to: "gpt-5.6-sol" }, { contextTokens: 400_000, features: reasoning }),
  openai("gpt-5-mini", { from: "2026-06-11", until: "2026-12-11", to: "gpt-5.6-terra" }, { contextTokens: 400_000, features: reasoning }),
  openai("gpt-5-nano", { from: "2026-06-11", until: "2026-12-11", to: "gpt-5.6-luna" }, { contextTokens: 400_000, features: reasoning }),
  { provider: "openai", model: "gpt-5.6-sol", lifecycle: "active", ...largeOpenAi() },
  { provider: "openai", model: "gpt-5.6-terra", lifecycle: "active", ...largeOpenAi() },
  anthropic("claude-opus-4", { lifecycle: "retired", deprecatedAt: "2026-04-14", retiresAt: "2026-06-15" }, "claude-opus-4-8"),
  anthropic("claude-sonnet-4", { lifecycle: "retired", deprecatedAt: "2026-04-14", retiresAt: "2026-06-15" }, "claude-sonnet-4-6"),
  anthropic("claude-opus-4-1", { lifecycle: "retired", retiresAt: "2026-08-05" }),
  anthropic("claude-opus-4-5", { lifecycle: "deprecated", deprecatedAt: "2026-11-23", retiresAt: "2027-01-22" }, "claude-opus-5-5"),
  { provider: "anthropic", model: "claude-opus-5", lifecycle: "active", ...largeClaude() },
  { provider: "anthropic", model: "claude-opus-5-5", lifecycle: "active", ...largeClaude() },
];

type Row = ModelTableSource[number];

/** When a model was deprecated, when it is shut down, and what is recommended then. */
interface Shutdown {
  readonly from: string;
  readonly until: string;
  readonly to: string;
}

function openai(model: string, { from, until, to }: Shutdown, facts: Pick<Row, "contextTokens" | "features">): Row {
  const replacement = { provider: "openai", model: to };
  const dates = { lifecycle: "deprecated", deprecatedAt: from, retiresAt: until } as const;
  return { provider: "openai", model, ...dates, replacement, ...facts, ...openAiDeprecations };
}

function anthropic(model: string, dates: Pick<Row, "lifecycle" | "deprecatedAt" | "retiresAt">, to?: string): Row {
  const replacement = to === undefined ? {} : { replacement: { provider: "anthropic", model: to } };
  return { provider: "anthropic", model, ...dates, ...replacement, ...anthropicDeprecations };
}

function largeOpenAi() {
  return { contextTokens: 1_050_000, outputTokens: 128_000, features: reasoning, ...openAiModels };
}

function largeClaude() {
  return { contextTokens: 1_000_000, outputTokens: 128_000, features: claude, ...anthropicModels };
}
