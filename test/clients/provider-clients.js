// Calls of the providers' own client libraries. Each entry: the library, what of its answer is reported, the turn, and the call.
import Anthropic from "@anthropic-ai/sdk";
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
import { GoogleGenAI } from "@google/genai";
import { Mistral } from "@mistralai/mistralai";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { CohereClient, CohereClientV2 } from "cohere-ai";
import { Ollama } from "ollama";
import OpenAI from "openai";
import {
  anthropicEvents,
  anthropicMessage,
  anthropicTurns,
  chatCompletion,
  chatEvents,
  chatTurns,
  embeddingList,
  embeddingsTurn,
  geminiAnswer,
  geminiTurns,
  openAiResponse,
  responsesTurn,
} from "./canned-answers.js";

const messages = [{ role: "user", content: "Is it on?" }];
const apiKey = "key";

/** All calls, for a server of canned answers. */
export function providerClients(server) {
  return [
    ...anthropic(server),
    ...openAi(server),
    ...google(server),
    ...bedrock(server),
    ...mistral(server),
    ...cohere(server),
    ...ollama(server),
  ];
}

function anthropic(server) {
  const library = "@anthropic-ai/sdk";
  const client = new Anthropic({ apiKey, baseURL: server.url, maxRetries: 0 });
  const body = ({ model }) => ({ model, max_tokens: 1000, messages });
  return Object.entries(anthropicTurns).flatMap(([name, turn]) => [
    {
      library,
      reads: "messages.create → usage",
      name,
      turn,
      async call() {
        server.answerWith({ json: anthropicMessage(turn) });
        return (await client.messages.create(body(turn))).usage;
      },
    },
    {
      library,
      reads: "messages.stream → finalMessage().usage",
      name,
      turn,
      async call() {
        server.answerWith({ events: anthropicEvents(turn) });
        return (await client.messages.stream(body(turn)).finalMessage()).usage;
      },
    },
  ]);
}

function openAi(server) {
  const library = "openai";
  const client = new OpenAI({ apiKey, baseURL: `${server.url}/v1`, maxRetries: 0 });
  const chats = Object.entries(chatTurns).flatMap(([name, turn]) => [
    {
      library,
      reads: "chat.completions.create → usage",
      name,
      turn,
      async call() {
        server.answerWith({ json: chatCompletion(turn) });
        return (await client.chat.completions.create({ model: turn.model, messages })).usage;
      },
    },
    {
      library,
      reads: "chat.completions.create, streamed → the last chunk's usage",
      name,
      turn,
      async call() {
        server.answerWith({ events: chatEvents(turn) });
        const stream = await client.chat.completions.create({
          model: turn.model,
          messages,
          stream: true,
          stream_options: { include_usage: true },
        });
        let usage;
        for await (const chunk of stream) usage = chunk.usage ?? usage;
        return usage;
      },
    },
  ]);
  return [
    ...chats,
    {
      library,
      reads: "responses.create → usage",
      name: "cached and reasoned",
      turn: responsesTurn,
      async call() {
        server.answerWith({ json: openAiResponse(responsesTurn) });
        return (await client.responses.create({ model: responsesTurn.model, input: "Is it on?" })).usage;
      },
    },
    {
      library,
      reads: "embeddings.create → usage",
      name: "embeddings",
      turn: embeddingsTurn,
      async call() {
        server.answerWith({ json: embeddingList(embeddingsTurn) });
        return (await client.embeddings.create({ model: embeddingsTurn.model, input: "On", encoding_format: "float" })).usage;
      },
    },
  ];
}

function google(server) {
  const library = "@google/genai";
  const client = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: server.url } });
  return Object.entries(geminiTurns).flatMap(([name, turn]) => [
    {
      library,
      reads: "models.generateContent → usageMetadata",
      name,
      turn,
      async call() {
        server.answerWith({ json: geminiAnswer(turn) });
        return (await client.models.generateContent({ model: turn.model, contents: "Is it on?" })).usageMetadata;
      },
    },
    {
      library,
      reads: "models.generateContentStream → the last chunk's usageMetadata",
      name,
      turn,
      async call() {
        server.answerWith({ events: [geminiAnswer(turn)].map(({ ...answer }) => answer) });
        let usage;
        for await (const chunk of await client.models.generateContentStream({ model: turn.model, contents: "Is it on?" }))
          usage = chunk.usageMetadata ?? usage;
        return usage;
      },
    },
  ]);
}

function bedrock(server) {
  const model = "anthropic.claude-sonnet-4-5-20250929-v1:0";
  const turns = {
    "read and written": {
      usage: { inputTokens: 210, outputTokens: 620, totalTokens: 35_830, cacheReadInputTokens: 31_000, cacheWriteInputTokens: 4000 },
      tokens: { uncached: 210, read: 31_000, write5m: 4000, output: 620 },
    },
    "written for an hour": {
      usage: {
        inputTokens: 210,
        outputTokens: 620,
        totalTokens: 35_830,
        cacheReadInputTokens: 31_000,
        cacheWriteInputTokens: 4000,
        cacheDetails: [{ ttl: "1h", inputTokens: 4000 }],
      },
      tokens: { uncached: 210, read: 31_000, write1h: 4000, output: 620 },
    },
  };
  const client = new BedrockRuntimeClient({
    region: "us-east-1",
    endpoint: server.url,
    credentials: { accessKeyId: "id", secretAccessKey: "secret" },
    maxAttempts: 1,
    // Its own choice is HTTP/2.
    requestHandler: new NodeHttpHandler(),
  });
  return Object.entries(turns).map(([name, { usage, tokens }]) => ({
    library: "@aws-sdk/client-bedrock-runtime",
    reads: "ConverseCommand → usage",
    name,
    turn: { provider: "aws.bedrock", model, bill: { tokens } },
    async call() {
      const message = { role: "assistant", content: [{ text: "Yes." }] };
      server.answerWith({ json: { output: { message }, stopReason: "end_turn", usage, metrics: { latencyMs: 900 } } });
      const command = new ConverseCommand({ modelId: model, messages: [{ role: "user", content: [{ text: "Is it on?" }] }] });
      return (await client.send(command)).usage;
    },
  }));
}

function mistral(server) {
  const client = new Mistral({ apiKey, serverURL: server.url });
  const model = "mistral-large-latest";
  const turns = {
    plain: {
      usage: { prompt_tokens: 140, completion_tokens: 30, total_tokens: 170 },
      tokens: { uncached: 140, output: 30 },
    },
    cached: {
      usage: {
        prompt_tokens: 140,
        completion_tokens: 30,
        total_tokens: 170,
        num_cached_tokens: 128,
        prompt_tokens_details: { cached_tokens: 128 },
      },
      tokens: { uncached: 12, read: 128, output: 30 },
    },
  };
  return Object.entries(turns).map(([name, { usage, tokens }]) => ({
    library: "@mistralai/mistralai",
    reads: "chat.complete → usage",
    name,
    turn: { provider: "mistral_ai", model, bill: { tokens } },
    async call() {
      server.answerWith({ json: chatCompletion({ model, usage }) });
      return (await client.chat.complete({ model, messages })).usage;
    },
  }));
}

function cohere(server) {
  const library = "cohere-ai";
  const turn = { provider: "cohere", model: "command-a-03-2025", bill: { tokens: { uncached: 12, output: 30 } } };
  const billed = { input_tokens: 12, output_tokens: 30 };
  const tokens = { input_tokens: 210, output_tokens: 32 };
  const [v1, v2] = [
    new CohereClient({ token: apiKey, environment: server.url }),
    new CohereClientV2({ token: apiKey, environment: server.url }),
  ];
  return [
    {
      library,
      reads: "CohereClientV2.chat → usage",
      name: "billed units",
      turn,
      async call() {
        const message = { role: "assistant", content: [{ type: "text", text: "Yes." }] };
        server.answerWith({ json: { id: "c1", finish_reason: "COMPLETE", message, usage: { billed_units: billed, tokens } } });
        return (await v2.chat({ model: turn.model, messages })).usage;
      },
    },
    {
      library,
      reads: "CohereClient.chat → meta",
      name: "billed units",
      turn,
      async call() {
        const meta = { api_version: { version: "1" }, billed_units: billed, tokens };
        server.answerWith({ json: { text: "Yes.", generation_id: "g1", finish_reason: "COMPLETE", meta } });
        return (await v1.chat({ model: turn.model, message: "Is it on?" })).meta;
      },
    },
  ];
}

function ollama(server) {
  const client = new Ollama({ host: server.url });
  const turn = { provider: "ollama", model: "llama3.2", bill: { tokens: { uncached: 26, output: 298 } } };
  const times = {
    total_duration: 5_191_566_416,
    load_duration: 2_154_458,
    prompt_eval_duration: 383_809_000,
    eval_duration: 4_799_921_000,
  };
  const head = { model: turn.model, created_at: "2026-11-01T10:00:00Z", done: true, done_reason: "stop" };
  const counts = { prompt_eval_count: 26, eval_count: 298 };
  return [
    {
      library: "ollama",
      reads: "chat → the answer itself",
      name: "an answer",
      turn,
      async call() {
        server.answerWith({ json: { ...head, message: { role: "assistant", content: "Yes." }, ...times, ...counts } });
        return client.chat({ model: turn.model, messages });
      },
    },
    {
      library: "ollama",
      reads: "generate → the answer itself",
      name: "an answer",
      turn,
      async call() {
        server.answerWith({ json: { ...head, response: "Yes.", context: [1, 2, 3], ...times, ...counts } });
        return client.generate({ model: turn.model, prompt: "Is it on?" });
      },
    },
  ];
}
