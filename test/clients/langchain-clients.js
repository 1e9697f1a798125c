// Calls of LangChain.
import { ChatAnthropic } from "@langchain/anthropic";
import { ChatGoogleGenerativeAI } from "@langchain/google-genai";
import { ChatOpenAI } from "@langchain/openai";
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

const apiKey = "key";
const prompt = "Is it on?";

/** All calls, for a server of canned answers. */
export function langChainClients(server) {
  const anthropic = ({ model }) => new ChatAnthropic({ model, apiKey, anthropicApiUrl: server.url, maxRetries: 0, maxTokens: 1000 });
  const openAi = ({ model }, more = {}) =>
    new ChatOpenAI({ model, apiKey, maxRetries: 0, configuration: { baseURL: `${server.url}/v1` }, ...more });
  const google = ({ model }) => new ChatGoogleGenerativeAI({ model, apiKey, baseUrl: server.url, maxRetries: 0 });
  const chat = chatTurns["cached and reasoned"];
  return [
    ...Object.entries(anthropicTurns).flatMap(([name, turn]) => [
      invoked("@langchain/anthropic", name, { turn, answer: anthropicMessage, model: anthropic, member: "usage_metadata" }),
      invoked("@langchain/anthropic", name, { turn, answer: anthropicMessage, model: anthropic, member: "response_metadata.usage" }),
      {
        library: "@langchain/anthropic",
        reads: "stream → usage_metadata of the chunks together",
        name,
        turn,
        async call() {
          server.answerWith({ events: anthropicEvents(turn) });
          let whole;
          for await (const chunk of await anthropic(turn).stream(prompt)) whole = whole === undefined ? chunk : whole.concat(chunk);
          return whole.usage_metadata;
        },
      },
    ]),
    ...["usage_metadata", "response_metadata.usage", "response_metadata.tokenUsage"].map((member) =>
      invoked("@langchain/openai", "chat, cached and reasoned", { turn: chat, answer: chatCompletion, model: openAi, member }),
    ),
    invoked("@langchain/openai", "responses, cached and reasoned", {
      turn: responsesTurn,
      answer: openAiResponse,
      model: (turn) => openAi(turn, { useResponsesApi: true }),
      member: "usage_metadata",
    }),
    ...Object.entries(geminiTurns).map(([name, turn]) =>
      invoked("@langchain/google-genai", name, { turn, answer: geminiAnswer, model: google, member: "usage_metadata" }),
    ),
  ];

  function invoked(library, name, { turn, answer, model, member }) {
    return {
      library,
      reads: `invoke → ${member}`,
      name,
      turn,
      async call() {
        server.answerWith({ json: answer(turn) });
        const message = await model(turn).invoke(prompt);
        return member.split(".").reduce((value, key) => value?.[key], message);
      },
    };
  }
}
