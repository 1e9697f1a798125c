/** A difference between our reading and a second one, and who is right. */
interface Difference {
  /** What differs, in the words of the table in docs/client-libraries.md. */
  readonly what: string;
  readonly why: string;
}

/** One in the cost of an object that is as its provider or library documents it. */
interface ObjectDifference extends Difference {
  /** The schema that makes it, or the recorded call. */
  readonly of: string;
}

/** Objects as they should be, whose cost genai-prices gives otherwise. */
export const objectDifferences: readonly ObjectDifference[] = [
  {
    of: "Kimi",
    what: "Kimi's cached tokens at the top of the object",
    why: "ours: Kimi documents `cached_tokens` there, and genai-prices reads only `prompt_tokens_details`",
  },
  {
    of: "Gemini's thoughts in the total alone",
    what: "Gemini's thoughts in OpenAI's form",
    why: "ours: the total holds them and the provider bills them; genai-prices prices the completion alone",
  },
];

/** One in the cost of an object of which something was changed. */
interface ChangeDifference extends Difference {
  readonly schema: string;
  readonly change: "removed" | "renamed" | "doubled";
  readonly path: string;
  readonly into?: string;
}

const written = "nothing can tell: the library leaves the member out where it has nothing to say";

/** Changed objects whose cost is neither that of the original nor the one that genai-prices gives. */
export const changeDifferences: readonly ChangeDifference[] = [
  ...["input_token_details", "input_token_details.cache_read", "input_token_details.cache_creation"].map(
    (path): ChangeDifference => ({ schema: "langchain", change: "removed", path, what: `LangChain without \`${path}\``, why: written }),
  ),
  ...["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens"].map(
    (path): ChangeDifference => ({ schema: "otel", change: "removed", path, what: `a span without \`${path}\``, why: written }),
  ),
  ...["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens"].map(
    (path): ChangeDifference => ({
      schema: "otel",
      change: "renamed",
      path,
      into: "gen_ai.request.model_x",
      what: `a span with another parameter of the request in place of \`${path}\``,
      why: written,
    }),
  ),
  {
    schema: "ai-sdk 5",
    change: "removed",
    path: "cachedInputTokens",
    what: "AI SDK 5 without `cachedInputTokens`",
    why: written,
  },
  {
    schema: "langchain",
    change: "renamed",
    path: "input_token_details.cache_creation",
    into: "ephemeral_1h_input_tokens",
    what: "LangChain whose writes are named as those for an hour",
    why: "ours: this is how it names writes for an hour",
  },
  {
    schema: "langchain",
    change: "renamed",
    path: "input_token_details.cache_read",
    into: "ephemeral_5m_input_tokens",
    what: "LangChain whose cached tokens are named as writes for five minutes",
    why: "ours: this is how it names writes for five minutes",
  },
  {
    schema: "bedrock-converse",
    change: "renamed",
    path: "cacheWriteInputTokens",
    into: "reasoningTokens",
    what: "Bedrock whose writes are named as reasoning",
    why: "nothing can tell: it is an object of AI SDK 5 then, with the reasoning beside the output",
  },
  ...["ephemeral_1h_input_tokens", "ephemeral_5m_input_tokens"].map(
    (into): ChangeDifference => ({
      schema: "langchain",
      change: "doubled",
      path: "input_token_details.cache_creation",
      into,
      what: `LangChain with all writes, or with 0 writes, beside \`${into}\``,
      why: "ours: this is how it splits writes by lifetime",
    }),
  ),
];

/** One in a price of the shipped table. */
interface PriceDifference extends Difference {
  readonly models: RegExp;
  /** The part of the price: see the test. */
  readonly part: "cacheRead" | "cacheWrite" | "long" | "all";
}

/** Prices that genai-prices gives otherwise. */
export const priceDifferences: readonly PriceDifference[] = [
  {
    models: /^gpt-4o-2024-05-13$|^text-embedding-/,
    part: "cacheRead",
    what: "cached tokens of models without a cache",
    why: "ours: there is no such price, so it is unknown; genai-prices takes the price of the input",
  },
  {
    models: /^gpt-4o-2024-05-13$/,
    part: "cacheWrite",
    what: "written tokens of a model without a cache",
    why: "ours: there is no such price, so it is unknown; genai-prices takes the price of the input",
  },
  {
    models: /^claude-sonnet-4$/,
    part: "long",
    what: "Sonnet 4 above 200 000 tokens",
    why: "ours: anomalyco/models.dev#141 quotes the announcement; no such prompt is answered since 30 April 2026",
  },
  {
    models: /^gpt-5\.6(?:-sol)?$/,
    part: "all",
    what: "GPT-5.6 Sol from 22 November 2026 on",
    why: "ours: the price was announced until the day before; genai-prices continues it",
  },
];
