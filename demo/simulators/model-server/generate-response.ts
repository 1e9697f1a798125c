import { logNormalFactor, type Random } from "../../../src/core/random.ts";
import type { MessagesBody } from "./messages-body.ts";
import type { ServedModel } from "./model-catalogue.ts";
import { obey, reportTool } from "./obedience.ts";

/** What the model "said". */
export interface GeneratedResponse {
  readonly content: readonly (
    | { readonly type: "text"; readonly text: string; readonly citations: null }
    | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: unknown }
  )[];
  readonly stopReason: "end_turn" | "max_tokens" | "tool_use" | "stop_sequence" | "refusal";
  readonly stopSequence: string | null;
  readonly outputTokens: number;
}

/** What a reply begins with that does not do what was asked. */
export const weakWords = "Unfinished:";

const words =
  "the change touches one module so a small patch with a test should be enough because callers keep their contract and nothing else reads this value".split(
    " ",
  );

function sentence(random: Random, count: number): string {
  const text = Array.from({ length: Math.max(1, count) }, () => words[Math.floor(random() * words.length)] ?? "so").join(" ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function toolUseId(random: Random): string {
  return `toolu_${Math.floor(random() * 2 ** 48)
    .toString(36)
    .padStart(10, "0")}`;
}

/** A value that fits the commonest parts of a JSON schema. */
function valueFor(schema: unknown, random: Random, depth: number): unknown {
  if (schema === null || typeof schema !== "object" || depth > 5) return sentence(random, 3);
  const { type, enum: choices, properties, items } = schema as { type?: string; enum?: unknown[]; properties?: object; items?: unknown };
  if (choices !== undefined && choices.length > 0) return choices[Math.floor(random() * choices.length)];
  if (type === "object") {
    return Object.fromEntries(Object.entries(properties ?? {}).map(([name, field]) => [name, valueFor(field, random, depth + 1)]));
  }
  if (type === "array") return Array.from({ length: 1 + Math.floor(random() * 3) }, () => valueFor(items, random, depth + 1));
  if (type === "integer") return Math.floor(random() * 100);
  if (type === "number") return Math.round(random() * 1000) / 10;
  if (type === "boolean") return random() < 0.5;
  return sentence(random, 4);
}

/**
 * A reply of a plausible length: about half of `max_tokens`, at most 600 tokens on average. The same random sequence gives the same reply.
 * A forced tool is called with an input that fits its schema. A weak reply begins with {@link weakWords}, which only a reader of it finds. An obedient model
 * also sends the reports that the texts ask for.
 */
export function generateResponse(
  body: MessagesBody,
  model: ServedModel,
  random: Random,
  {
    refuse = false,
    weak = false,
    obedient = false,
  }: { readonly refuse?: boolean; readonly weak?: boolean; readonly obedient?: boolean } = {},
): GeneratedResponse {
  if (body.max_tokens === 0) return { content: [], stopReason: "max_tokens", stopSequence: null, outputTokens: 0 };
  if (refuse) return { content: [], stopReason: "refusal", stopSequence: null, outputTokens: 1 };

  const forced = body.tool_choice?.type === "tool" || body.tool_choice?.type === "any";
  const tool = forced
    ? (body.tools ?? []).find(({ name }) => body.tool_choice?.type === "any" || name === body.tool_choice?.name)
    : undefined;
  if (tool !== undefined) {
    const input = valueFor(tool.input_schema ?? { type: "object" }, random, 0);
    const outputTokens = 20 + Math.ceil(JSON.stringify(input).length / model.bytesPerToken);
    return {
      content: [{ type: "tool_use", id: toolUseId(random), name: tool.name, input }],
      stopReason: "tool_use",
      stopSequence: null,
      outputTokens,
    };
  }

  const limit = Math.min(body.max_tokens, model.maxOutputTokens);
  const wanted = Math.max(1, Math.round(Math.min(600, limit / 2) * logNormalFactor(random, 0.25)));
  const outputTokens = Math.min(limit, wanted);
  let text = `${weak ? `${weakWords} ` : ""}${sentence(random, Math.floor(outputTokens * 0.7))}`;
  const stop = (body.stop_sequences ?? []).find((sequence) => sequence !== "" && text.includes(sequence));
  if (stop !== undefined) text = text.slice(0, text.indexOf(stop));
  const report = obedient ? obey(body, random) : undefined;
  const spoken = { type: "text", text, citations: null } as const;
  if (report !== undefined) {
    const call = { type: "tool_use", id: toolUseId(random), name: reportTool, input: report } as const;
    return { content: [spoken, call], stopReason: "tool_use", stopSequence: null, outputTokens };
  }
  return {
    content: [spoken],
    stopReason: stop !== undefined ? "stop_sequence" : wanted > limit ? "max_tokens" : "end_turn",
    stopSequence: stop ?? null,
    outputTokens,
  };
}
