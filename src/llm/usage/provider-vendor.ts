/** Whose interface a provider is, which decides what the same key means. `other`: none that is listed here. */
const vendors = [
  "anthropic",
  "openai",
  "google",
  "vertex", // Google's platform, which also hosts models of others.
  "bedrock",
  "mistral",
  "cohere",
  "deepseek",
  "xai",
  "moonshot",
  "ollama",
  "other",
] as const;

/** See {@link vendors}. */
export type Vendor = (typeof vendors)[number];

const byProvider: ReadonlyMap<string, Vendor> = new Map([
  ["anthropic", "anthropic"],
  ["openai", "openai"],
  ["azure.ai.openai", "openai"],
  ["azure", "openai"],
  ["gcp.gemini", "google"],
  ["gcp.gen_ai", "google"],
  ["google", "google"],
  ["gemini", "google"],
  ["gcp.vertex_ai", "vertex"],
  ["vertex_ai", "vertex"],
  ["aws.bedrock", "bedrock"],
  ["bedrock", "bedrock"],
  ["mistral_ai", "mistral"],
  ["mistral", "mistral"],
  ["cohere", "cohere"],
  ["deepseek", "deepseek"],
  ["x_ai", "xai"],
  ["xai", "xai"],
  ["moonshot_ai", "moonshot"],
  ["moonshot", "moonshot"],
  ["ollama", "ollama"],
]);

/** The vendor of a provider as OpenTelemetry or a gateway names it. */
export function vendorOf(provider: string): Vendor {
  return byProvider.get(provider) ?? "other";
}

/** Vendors whose count of prompt tokens holds the cached ones in every interface of theirs. */
export const inclusiveVendors: readonly Vendor[] = ["openai", "google", "mistral", "deepseek", "xai", "moonshot"];
