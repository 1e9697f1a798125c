/** How a provider is reached. */
export interface ProviderAccess {
  /** As the provider's own library takes it: without a path at Anthropic, with `/v1` at OpenAI. */
  readonly baseUrl: string;
  readonly apiKey: string;
}

/** What both libraries are opened with: no retries and no log of their own, and a key that follows no redirection. */
export const clientOptions = {
  maxRetries: 0,
  timeout: 120_000,
  logLevel: "off",
  fetchOptions: { redirect: "error" },
} as const;

/** Clocks of two machines may differ by so much. */
export const clockSkewMs = 300_000;

/** Pages of a list that a search looks at, at most. */
export const maxPages = 50;
