// Calls of the Vercel AI SDK in its versions 5, 6 and 7, each with its own provider packages.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createMistral } from "@ai-sdk/mistral";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createXai } from "@ai-sdk/xai";
import * as ai7 from "ai";
import * as ai5 from "ai-5";
import { createAnthropic as createAnthropic5 } from "ai-5-anthropic";
import { createGoogleGenerativeAI as createGoogle5 } from "ai-5-google";
import { createOpenAI as createOpenAi5 } from "ai-5-openai";
import * as ai6 from "ai-6";
import { createAnthropic as createAnthropic6 } from "ai-6-anthropic";
import { createGoogleGenerativeAI as createGoogle6 } from "ai-6-google";
import { createOpenAI as createOpenAi6 } from "ai-6-openai";
import {
  anthropicEvents,
  anthropicMessage,
  anthropicTurns,
  chatCompletion,
  chatTurns,
  geminiAnswer,
  geminiTurns,
  openAiResponse,
  responsesTurn,
} from "./canned-answers.js";

const versions = [
  { library: "ai-5", ai: ai5, anthropic: createAnthropic5, google: createGoogle5, openAi: createOpenAi5 },
  { library: "ai-6", ai: ai6, anthropic: createAnthropic6, google: createGoogle6, openAi: createOpenAi6 },
  { library: "ai", ai: ai7, anthropic: createAnthropic, google: createGoogleGenerativeAI, openAi: createOpenAI },
];
/** The same turn twice. */
const twoSteps = {
  ...anthropicTurns["less read than sent"],
  turn: anthropicTurns["less read than sent"],
  bill: { tokens: { uncached: 40_000, read: 30_000, output: 1000 }, costMicroUsd: 144_000 },
};
const apiKey = "key";
const prompt = "Is it on?";

/** All calls, for a server of canned answers. */
export function aiSdkClients(server) {
  return [...versions.flatMap((version) => calls(server, version)), ...otherProviders(server)];
}

function calls(server, { library, ai, ...providers }) {
  const anthropic = providers.anthropic({ apiKey, baseURL: `${server.url}/v1` });
  const google = providers.google({ apiKey, baseURL: `${server.url}/v1beta` });
  const openAi = providers.openAi({ apiKey, baseURL: `${server.url}/v1` });
  const generated = (packageName, name, { turn, answer, model }) => ({
    library,
    reads: `generateText with ${packageName} → usage`,
    name,
    turn,
    async call() {
      server.answerWith({ json: answer(turn) });
      return (await ai.generateText({ model: model(turn.model), prompt, maxRetries: 0 })).usage;
    },
  });
  const chat = chatTurns["cached and reasoned"];
  return [
    ...Object.entries(anthropicTurns).flatMap(([name, turn]) => [
      generated("@ai-sdk/anthropic", name, { turn, answer: anthropicMessage, model: anthropic }),
      {
        library,
        reads: "streamText with @ai-sdk/anthropic → totalUsage",
        name,
        turn,
        async call() {
          server.answerWith({ events: anthropicEvents(turn) });
          const result = ai.streamText({ model: anthropic(turn.model), prompt, maxRetries: 0 });
          await result.consumeStream();
          return result.totalUsage;
        },
      },
      {
        library,
        reads: "generateText with @ai-sdk/anthropic → providerMetadata.anthropic.usage",
        name,
        turn,
        async call() {
          server.answerWith({ json: anthropicMessage(turn) });
          return (await ai.generateText({ model: anthropic(turn.model), prompt, maxRetries: 0 })).providerMetadata?.anthropic?.usage;
        },
      },
    ]),
    ...Object.entries(geminiTurns).map(([name, turn]) => generated("@ai-sdk/google", name, { turn, answer: geminiAnswer, model: google })),
    {
      library,
      reads: "generateText with @ai-sdk/anthropic → totalUsage",
      name: "two steps",
      turn: twoSteps,
      async call() {
        const { turn } = twoSteps;
        const message = anthropicMessage(turn);
        const content = [{ type: "tool_use", id: "toolu_1", name: "look_up", input: {} }];
        server.answerWith({ json: { ...message, content, stop_reason: "tool_use" } }, { json: message });
        const inputSchema = ai.jsonSchema({ type: "object", properties: {} });
        const tools = { look_up: ai.tool({ inputSchema, execute: () => "on" }) };
        const stopWhen = ai.stepCountIs(2);
        return (await ai.generateText({ model: anthropic(turn.model), prompt, maxRetries: 0, tools, stopWhen })).totalUsage;
      },
    },
    generated("@ai-sdk/openai", "responses, cached and reasoned", { turn: responsesTurn, answer: openAiResponse, model: openAi }),
    generated("@ai-sdk/openai", "chat, cached and reasoned", { turn: chat, answer: chatCompletion, model: openAi.chat }),
  ];
}

/** Of the newest version alone. */
function otherProviders(server) {
  const compatible = (name) => createOpenAICompatible({ name, apiKey, baseURL: `${server.url}/v1`, includeUsage: true });
  const mistralTurn = {
    provider: "mistral_ai",
    model: "mistral-large-latest",
    usage: { prompt_tokens: 140, completion_tokens: 30, total_tokens: 170, prompt_tokens_details: { cached_tokens: 128 } },
    bill: { tokens: { uncached: 12, read: 128, output: 30 } },
  };
  const xaiTurn = {
    provider: "x_ai",
    model: "grok-4",
    usage: {
      input_tokens: 150,
      input_tokens_details: { cached_tokens: 100 },
      output_tokens: 650,
      output_tokens_details: { reasoning_tokens: 250 },
      total_tokens: 800,
      num_sources_used: 0,
      num_server_side_tools_used: 0,
    },
    bill: { tokens: { uncached: 50, read: 100, output: 650, reasoning: 250 } },
  };
  const generated = (packageName, name, { turn, model, answer = chatCompletion }) => ({
    library: "ai",
    reads: `generateText with ${packageName} → usage`,
    name,
    turn,
    async call() {
      server.answerWith({ json: answer(turn) });
      return (await ai7.generateText({ model, prompt, maxRetries: 0 })).usage;
    },
  });
  const mistral = createMistral({ apiKey, baseURL: `${server.url}/v1` });
  const xai = createXai({ apiKey, baseURL: `${server.url}/v1` });
  return [
    ...Object.entries(chatTurns).map(([name, turn]) =>
      generated("@ai-sdk/openai-compatible", name, { turn, model: compatible(turn.provider)(turn.model) }),
    ),
    generated("@ai-sdk/mistral", "cached", { turn: mistralTurn, model: mistral(mistralTurn.model) }),
    generated("@ai-sdk/xai", "cached and reasoned", { turn: xaiTurn, model: xai(xaiTurn.model), answer: openAiResponse }),
  ];
}
