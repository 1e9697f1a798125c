import type { GeneratedResponse } from "./generate-response.ts";
import type { messageJson } from "./message-json.ts";

function serverSentEvent(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;
}

/** The first event: the message without its content; its output tokens are counted as they come. */
export function startEvent(message: ReturnType<typeof messageJson>): string {
  const usage = { ...message.usage, output_tokens: 1 };
  return serverSentEvent("message_start", { message: { ...message, content: [], stop_reason: null, stop_sequence: null, usage } });
}

/** The last two events. */
export function endEvents(message: ReturnType<typeof messageJson>): string {
  const delta = { stop_reason: message.stop_reason, stop_sequence: message.stop_sequence };
  const usage = { output_tokens: message.usage.output_tokens };
  return serverSentEvent("message_delta", { delta, usage }) + serverSentEvent("message_stop", {});
}

/** The events of a reply's content between `message_start` and `message_delta`, in the provider's order. */
export function contentEvents(generated: GeneratedResponse): string[] {
  return generated.content.flatMap((block, index) => {
    if (block.type === "text") {
      const pieces = block.text.match(/.{1,200}/gsu) ?? [];
      return [
        serverSentEvent("content_block_start", { index, content_block: { ...block, text: "" } }),
        ...pieces.map((text) => serverSentEvent("content_block_delta", { index, delta: { type: "text_delta", text } })),
        serverSentEvent("content_block_stop", { index }),
      ];
    }
    return [
      serverSentEvent("content_block_start", { index, content_block: { ...block, input: {} } }),
      serverSentEvent("content_block_delta", { index, delta: { type: "input_json_delta", partial_json: JSON.stringify(block.input) } }),
      serverSentEvent("content_block_stop", { index }),
    ];
  });
}
