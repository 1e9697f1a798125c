// Attributes of the spans that OpenLLMetry writes around the providers' clients.
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { AnthropicInstrumentation } from "@traceloop/instrumentation-anthropic";
import { OpenAIInstrumentation } from "@traceloop/instrumentation-openai";
// The instrumentation needs a class that version 1 of this client has no longer.
import * as anthropicModule from "anthropic-0";
import OpenAI from "openai";
import { anthropicMessage, anthropicTurns, chatCompletion, chatTurns } from "./canned-answers.js";

const apiKey = "key";
const messages = [{ role: "user", content: "Is it on?" }];

/** All calls, for a server of canned answers. */
export function instrumentedClients(server) {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const start = (instrumentation, module) => {
    instrumentation.setTracerProvider(tracerProvider);
    instrumentation.manuallyInstrument(module);
  };
  start(new AnthropicInstrumentation(), anthropicModule);
  start(new OpenAIInstrumentation(), OpenAI);
  const anthropic = new anthropicModule.Anthropic({ apiKey, baseURL: server.url, maxRetries: 0 });
  const openAi = new OpenAI({ apiKey, baseURL: `${server.url}/v1`, maxRetries: 0 });
  const spanOf = async (answer, call) => {
    exporter.reset();
    server.answerWith({ json: answer });
    await call();
    return exporter.getFinishedSpans().at(-1)?.attributes;
  };
  const chat = chatTurns["cached and reasoned"];
  return [
    ...Object.entries(anthropicTurns).map(([name, turn]) => ({
      library: "@traceloop/instrumentation-anthropic",
      reads: "attributes of the span of messages.create",
      name,
      turn,
      call: () => spanOf(anthropicMessage(turn), () => anthropic.messages.create({ model: turn.model, max_tokens: 1000, messages })),
    })),
    {
      library: "@traceloop/instrumentation-openai",
      reads: "attributes of the span of chat.completions.create",
      name: "cached and reasoned",
      turn: chat,
      call: () => spanOf(chatCompletion(chat), () => openAi.chat.completions.create({ model: chat.model, messages })),
    },
  ];
}
