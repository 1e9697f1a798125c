import { type DescribedBlock, type DescribeOptions, describePrefix } from "./describe-prefix.ts";
import type { BlockRole, Prefix } from "./wire/prefix.ts";
import { type CacheLifetime, cacheLifetimes } from "./wire/prompt-layout.ts";

type Fields = { readonly [field: string]: unknown };

/** What describing a whole request can be told; parameters are taken from the body. */
export type DescribeRequestOptions = Omit<DescribeOptions, "parameters"> & {
  /** The layer of a block by its place in the body, e.g. `system.0`, `tools.3`, `messages.0.content.1`. */
  readonly layerOf?: (path: string) => string | undefined;
};

/** The prefix of a body of Anthropic's `POST /v1/messages`. Undefined when it has no blocks or too many. */
export function describeAnthropicRequest(body: Fields, options: DescribeRequestOptions = {}): Prefix | undefined {
  const blocks: Placed[] = [
    ...listOf(body["tools"]).map((tool, index) => placed("tools", `tools.${index}`, tool)),
    ...contentOf(body["system"], "system").map(([path, block]) => placed("system", path, block)),
    ...messagesOf(body["messages"], "messages"),
  ];
  // A marker on the body itself marks the last block that can be cached.
  const whole = markOf(body);
  const last = blocks.findLastIndex(
    ({ block }) => block["type"] !== "thinking" && block["type"] !== "redacted_thinking" && block["text"] !== "",
  );
  const marked = blocks.map((one, index) =>
    index === last && whole !== undefined && one.mark === undefined ? { ...one, mark: whole } : one,
  );
  return describe(marked, options, pick(body, ["tool_choice", "thinking", "speed"]));
}

/** The prefix of a body of OpenAI's chat completions or responses. Undefined when it has no blocks or too many. */
export function describeOpenAiRequest(body: Fields, options: DescribeRequestOptions = {}): Prefix | undefined {
  const instructions =
    typeof body["instructions"] === "string" ? [placed("system", "instructions", { type: "text", text: body["instructions"] })] : [];
  const input =
    typeof body["input"] === "string"
      ? [placed("user", "input", { type: "text", text: body["input"] })]
      : messagesOf(body["input"], "input");
  const blocks: Placed[] = [
    ...listOf(body["tools"]).map((tool, index) => placed("tools", `tools.${index}`, tool)),
    ...instructions,
    ...messagesOf(body["messages"], "messages"),
    ...input,
  ];
  const names = [
    "tool_choice",
    "response_format",
    "text",
    "reasoning",
    "reasoning_effort",
    "verbosity",
    "prompt_cache_key",
    "service_tier",
  ];
  return describe(blocks, options, pick(body, names));
}

interface Placed extends DescribedBlock {
  readonly path: string;
}

function describe(blocks: readonly Placed[], { layerOf, ...options }: DescribeRequestOptions, parameters: Fields): Prefix | undefined {
  const layered = blocks.map(({ path, ...block }) => {
    const layer = layerOf?.(path);
    return layer === undefined ? block : { ...block, layer };
  });
  return describePrefix(layered, Object.keys(parameters).length === 0 ? options : { ...options, parameters });
}

function messagesOf(value: unknown, at: string): Placed[] {
  return listOf(value).flatMap((message, index) => {
    const path = `${at}.${index}`;
    const role = roleOf(message["role"]);
    // Items of OpenAI's responses that are no messages, e.g. a function call and its output.
    if (message["content"] === undefined) return [placed(role, path, message)];
    return contentOf(message["content"], `${path}.content`).map(([place, block]) => placed(role, place, block));
  });
}

function contentOf(value: unknown, path: string): readonly (readonly [string, Fields])[] {
  if (typeof value === "string") return [[path, { type: "text", text: value }]];
  return listOf(value).map((block, index) => [`${path}.${index}`, block] as const);
}

function placed(role: BlockRole, path: string, block: Fields): Placed {
  const mark = markOf(block);
  return { role, path, block, ...(mark === undefined ? {} : { mark }) };
}

function markOf(block: Fields): CacheLifetime | undefined {
  const anthropic = fieldsOf(block["cache_control"]);
  if (anthropic !== undefined) return anthropic["ttl"] === "1h" ? "1h" : "5m";
  const openAi = fieldsOf(block["prompt_cache_breakpoint"]);
  return openAi === undefined ? undefined : (cacheLifetimes.find((ttl) => ttl === openAi["ttl"]) ?? "30m");
}

function roleOf(role: unknown): BlockRole {
  if (role === "system" || role === "developer") return "system";
  return role === "assistant" ? "assistant" : "user";
}

function pick(body: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name]]])));
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map((item: unknown) => fieldsOf(item)).filter((item) => item !== undefined) : [];
}

function fieldsOf(value: unknown): Fields | undefined {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : undefined;
}
