// Answers of the providers' interfaces around a usage object, and what the provider bills for it.
// Bills: tokens other than 0; cost in micro-USD at the list price, absent where the shipped table has no price of the model.

const sonnet = { provider: "anthropic", model: "claude-sonnet-4-5-20250929" };
const gpt = { provider: "openai", model: "gpt-5-2025-08-07" };
const gemini = { provider: "gcp.gemini", model: "gemini-2.5-flash" };

/** Turns of Anthropic's Messages. */
export const anthropicTurns = {
  "writes for five minutes": {
    ...sonnet,
    usage: messagesUsage({ input: 210, read: 31_000, write5m: 4000, output: 620 }),
    bill: { tokens: { uncached: 210, read: 31_000, write5m: 4000, output: 620 }, costMicroUsd: 34_230 },
  },
  "writes for an hour": {
    ...sonnet,
    usage: messagesUsage({ input: 210, read: 31_000, write1h: 4000, output: 620 }),
    bill: { tokens: { uncached: 210, read: 31_000, write1h: 4000, output: 620 }, costMicroUsd: 43_230 },
  },
  "writes alone": {
    ...sonnet,
    usage: messagesUsage({ input: 210, write5m: 4000, output: 620 }),
    bill: { tokens: { uncached: 210, write5m: 4000, output: 620 }, costMicroUsd: 24_930 },
  },
  "less read than sent": {
    ...sonnet,
    usage: messagesUsage({ input: 20_000, read: 15_000, output: 500 }),
    bill: { tokens: { uncached: 20_000, read: 15_000, output: 500 }, costMicroUsd: 72_000 },
  },
  "three searches": {
    ...sonnet,
    usage: { ...messagesUsage({ input: 2000, output: 400 }), server_tool_use: { web_search_requests: 3, web_fetch_requests: 0 } },
    bill: { tokens: { uncached: 2000, output: 400 }, costMicroUsd: 42_000 },
  },
  "no cache": {
    ...sonnet,
    usage: messagesUsage({ input: 2000, output: 400 }),
    bill: { tokens: { uncached: 2000, output: 400 }, costMicroUsd: 12_000 },
  },
};

function messagesUsage({ input, output, read = 0, write5m = 0, write1h = 0 }) {
  return {
    input_tokens: input,
    cache_creation_input_tokens: write5m + write1h,
    cache_read_input_tokens: read,
    cache_creation: { ephemeral_5m_input_tokens: write5m, ephemeral_1h_input_tokens: write1h },
    output_tokens: output,
    service_tier: "standard",
    inference_geo: "not_available",
    server_tool_use: null,
  };
}

const reasoned = { tokens: { uncached: 1500, read: 6000, output: 900, reasoning: 400 }, costMicroUsd: 11_625 };

/** Turns of OpenAI's Chat Completions and of those who answer in its form. */
export const chatTurns = {
  "cached and reasoned": { ...gpt, usage: chatUsage({ prompt: 7500, cached: 6000, completion: 900, reasoning: 400 }), bill: reasoned },
  "xAI's reasoning beside the completion": {
    provider: "x_ai",
    model: "grok-4",
    usage: {
      prompt_tokens: 150,
      completion_tokens: 400,
      total_tokens: 800,
      prompt_tokens_details: { text_tokens: 150, audio_tokens: 0, image_tokens: 0, cached_tokens: 100 },
      completion_tokens_details: { reasoning_tokens: 250, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
      num_sources_used: 0,
    },
    bill: { tokens: { uncached: 50, read: 100, output: 650, reasoning: 250 } },
  },
  "Gemini's thoughts in the total alone": {
    ...gemini,
    usage: { prompt_tokens: 1100, completion_tokens: 80, total_tokens: 1400 },
    bill: { tokens: { uncached: 1100, output: 300, reasoning: 220 } },
  },
  "DeepSeek's hits and misses": {
    provider: "deepseek",
    model: "deepseek-chat",
    usage: {
      prompt_tokens: 1200,
      completion_tokens: 60,
      total_tokens: 1260,
      prompt_tokens_details: { cached_tokens: 1000 },
      prompt_cache_hit_tokens: 1000,
      prompt_cache_miss_tokens: 200,
    },
    bill: { tokens: { uncached: 200, read: 1000, output: 60 } },
  },
  "Kimi's cached tokens at the top": {
    provider: "moonshot_ai",
    model: "kimi-k2",
    usage: { prompt_tokens: 1200, completion_tokens: 60, total_tokens: 1260, cached_tokens: 1000 },
    bill: { tokens: { uncached: 200, read: 1000, output: 60 } },
  },
};

function chatUsage({ prompt, cached, completion, reasoning }) {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/** A turn of OpenAI's Responses. */
export const responsesTurn = {
  ...gpt,
  usage: {
    input_tokens: 7500,
    input_tokens_details: { cached_tokens: 6000 },
    output_tokens: 900,
    output_tokens_details: { reasoning_tokens: 400 },
    total_tokens: 8400,
  },
  bill: reasoned,
};

/** Embeddings of OpenAI. */
export const embeddingsTurn = {
  provider: "openai",
  model: "text-embedding-3-small",
  usage: { prompt_tokens: 100_000, total_tokens: 100_000 },
  bill: { tokens: { uncached: 100_000 }, costMicroUsd: 2000 },
};

/** Turns of Gemini's own interface. */
export const geminiTurns = {
  "cached and thought": {
    ...gemini,
    usage: {
      promptTokenCount: 1100,
      cachedContentTokenCount: 700,
      candidatesTokenCount: 80,
      thoughtsTokenCount: 220,
      totalTokenCount: 1400,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: 1100 }],
      cacheTokensDetails: [{ modality: "TEXT", tokenCount: 700 }],
    },
    bill: { tokens: { uncached: 400, read: 700, output: 300, reasoning: 220 } },
  },
  "a tool's prompt": {
    ...gemini,
    usage: {
      promptTokenCount: 1100,
      candidatesTokenCount: 80,
      toolUsePromptTokenCount: 30,
      totalTokenCount: 1210,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: 1100 }],
      toolUsePromptTokensDetails: [{ modality: "TEXT", tokenCount: 30 }],
    },
    bill: { tokens: { uncached: 1130, output: 80 } },
  },
};

/** A message of Anthropic. */
export function anthropicMessage({ model, usage }) {
  return {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model,
    content: [textBlock],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage,
  };
}

const textBlock = { type: "text", text: "Yes." };

/** The same as a stream: the counts of the prompt come first, those of the output last. */
export function anthropicEvents({ model, usage }) {
  const { server_tool_use: tools, ...counts } = usage;
  return [
    {
      type: "message_start",
      message: { ...anthropicMessage({ model, usage: { ...counts, output_tokens: 1 } }), content: [], stop_reason: null },
    },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Yes." } },
    { type: "content_block_stop", index: 0 },
    {
      type: "message_delta",
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: {
        input_tokens: usage.input_tokens,
        cache_creation_input_tokens: usage.cache_creation_input_tokens,
        cache_read_input_tokens: usage.cache_read_input_tokens,
        output_tokens: usage.output_tokens,
        ...(tools !== null && { server_tool_use: tools }),
      },
    },
    { type: "message_stop" },
  ];
}

/** A chat completion. */
export function chatCompletion({ model, usage }) {
  const message = { role: "assistant", content: "Yes.", refusal: null };
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_790_000_000,
    model,
    choices: [{ index: 0, message, finish_reason: "stop" }],
    usage,
  };
}

/** The same as a stream that was asked for its usage. */
export function chatEvents({ model, usage }) {
  const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_790_000_000, model };
  const chunk = (delta, finish_reason) => ({ ...head, choices: [{ index: 0, delta, finish_reason }], usage: null });
  return [chunk({ role: "assistant", content: "Yes." }, null), chunk({}, "stop"), { ...head, choices: [], usage }, "[DONE]"];
}

/** A response of OpenAI. */
export function openAiResponse({ model, usage }) {
  const content = [{ type: "output_text", text: "Yes.", annotations: [] }];
  return {
    id: "resp_1",
    object: "response",
    created_at: 1_790_000_000,
    status: "completed",
    model,
    output: [{ type: "message", id: "msg_1", status: "completed", role: "assistant", content }],
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    parallel_tool_calls: true,
    tool_choice: "auto",
    tools: [],
    service_tier: "default",
    usage,
  };
}

/** An embedding of OpenAI. */
export function embeddingList({ model, usage }) {
  return { object: "list", data: [{ object: "embedding", index: 0, embedding: [0.1, 0.2] }], model, usage };
}

/** An answer of Gemini. */
export function geminiAnswer({ model, usage }) {
  return {
    candidates: [{ content: { role: "model", parts: [{ text: "Yes." }] }, finishReason: "STOP", index: 0 }],
    usageMetadata: usage,
    modelVersion: model,
    responseId: "r1",
  };
}
