import { canonicalJson, type Json } from "./wire/json.ts";
import {
  type CacheLifetime,
  historyLayer,
  type PromptLayer,
  type PromptLayout,
  variablePattern,
  variablesOf,
} from "./wire/prompt-layout.ts";

/** A marker in the provider's words; without a lifetime it is the short one. */
export interface CacheControl {
  readonly type: "ephemeral";
  readonly ttl?: "1h";
}

/** One block of content or one tool, with whatever fields it has. */
export interface RenderedBlock {
  readonly cache_control?: CacheControl;
  readonly [field: string]: unknown;
}

/** One message; a text is content of one block. */
export interface RenderedMessage {
  readonly role: "user" | "assistant";
  readonly content: string | readonly RenderedBlock[];
}

/** The prompt's part of a request body of `POST /v1/messages`. */
export interface RenderedBody {
  readonly tools?: readonly RenderedBlock[];
  readonly system?: readonly RenderedBlock[];
  readonly messages: readonly RenderedMessage[];
}

/** A block with where it came from, in the order in which the cache sees them. */
export interface PlacedBlock {
  readonly role: "tools" | "system" | "user" | "assistant";
  /** Absent for what stands between layers. */
  readonly layer?: string;
  readonly mark?: CacheLifetime;
  readonly block: RenderedBlock;
}

/** What fills a prompt. A variable that is an object or a list is written as JSON. */
export interface PromptInput {
  readonly variables: { readonly [name: string]: Json };
  /** The conversation so far, in place of the layer `history`. */
  readonly history?: readonly RenderedMessage[];
}

/** A body and its blocks, or every fault: a variable that is missing, tools that are no list. */
export type RenderResult =
  | { readonly ok: true; readonly body: RenderedBody; readonly blocks: readonly PlacedBlock[] }
  | { readonly ok: false; readonly faults: readonly string[] };

/**
 * Renders layers into the shape of the Anthropic Messages API. Layers stand in the order of the layout; those of role `user` before `history`
 * form the first user message, those behind it end the last one. A marker is set on the last block of its layer; one behind an empty layer moves to the
 * block before it, unless that has one already. Pure: the same input gives the same bytes.
 */
export function renderPrompt(layout: PromptLayout, input: PromptInput): RenderResult {
  const faults: string[] = [];
  const placed = layout.layers.flatMap((layer) => blocksOf(layer, input, faults));
  if (faults.length > 0) return { ok: false, faults };
  const blocks = withMarks(placed, layout);
  const of = (role: PlacedBlock["role"]) => blocks.filter((one) => one.role === role).map(({ block }) => block);
  const tools = of("tools");
  const system = of("system");
  return {
    ok: true,
    body: {
      ...(tools.length === 0 ? {} : { tools }),
      ...(system.length === 0 ? {} : { system }),
      messages: messagesOf(blocks.filter(({ role }) => role === "user" || role === "assistant")),
    },
    blocks,
  };
}

function blocksOf(layer: PromptLayer, input: PromptInput, faults: string[]): PlacedBlock[] {
  const { key, role } = layer;
  if (key === historyLayer) {
    return (input.history ?? []).flatMap(({ role: speaker, content }) =>
      (typeof content === "string" ? [{ type: "text", text: content }] : content).map((block) => ({
        role: speaker,
        layer: key,
        block: withoutMark(block),
      })),
    );
  }
  const text = fill(layer, input.variables, faults);
  if (text === undefined || text === "") return [];
  if (role !== "tools") return [{ role, layer: key, block: { type: "text", text } }];
  return toolsOf(layer, text, faults).map((tool) => ({ role, layer: key, block: tool }));
}

function fill({ key, render, canonical }: PromptLayer, variables: PromptInput["variables"], faults: string[]): string | undefined {
  const missing = variablesOf(render).filter((name) => !Object.hasOwn(variables, name));
  for (const name of missing) faults.push(`layer ${key}: the variable ${name} is missing`);
  if (missing.length > 0) return undefined;
  const write = (value: Json | undefined) =>
    typeof value === "string" ? value : canonical ? canonicalJson(value) : JSON.stringify(value ?? null);
  // A function, because `$` in a replacement text has a meaning.
  const text = render.replace(variablePattern, (_, name: string) => write(variables[name]));
  return canonical ? canonicalText(text) : text;
}

/**
 * Ends of lines as `\n`, and no blanks before them; a text that is compact JSON as a whole gets sorted keys. Only what `JSON.stringify` would write in just that way
 * is touched: then nothing else than the order of keys can change.
 */
function canonicalText(text: string): string {
  if (isCompactJson(text)) return canonicalJson(JSON.parse(text));
  return text.replaceAll(/[ \t]*\r?\n/g, "\n").replace(/[ \t]+$/, "");
}

function isCompactJson(text: string): boolean {
  if (!/^[[{]/.test(text)) return false;
  try {
    return JSON.stringify(JSON.parse(text)) === text;
  } catch {
    return false;
  }
}

function toolsOf({ key, canonical }: PromptLayer, text: string, faults: string[]): readonly RenderedBlock[] {
  const tools = readTools(text);
  if (tools === undefined) {
    faults.push(`layer ${key}: it does not render into a JSON list of tools, each with a name`);
    return [];
  }
  if (!canonical) return tools;
  const sorted = tools.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  return sorted.map((tool) => JSON.parse(canonicalJson(tool)));
}

function readTools(text: string): readonly RenderedBlock[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (!Array.isArray(parsed)) return undefined;
    const tools: RenderedBlock[] = parsed;
    return tools.every((tool) => tool !== null && typeof tool === "object" && nameOf(tool) !== "") ? tools.map(withoutMark) : undefined;
  } catch {
    return undefined;
  }
}

function nameOf(tool: RenderedBlock): string {
  const name = tool["name"];
  return typeof name === "string" ? name : "";
}

/** Markers are the version's to place, and never the application's. */
function withoutMark(block: RenderedBlock): RenderedBlock {
  const { cache_control: _mark, ...unmarked } = block;
  return unmarked;
}

function withMarks(placed: readonly PlacedBlock[], layout: PromptLayout): readonly PlacedBlock[] {
  const marks = new Map<number, CacheLifetime>();
  const places = new Map(layout.layers.map(({ key }, index) => [key, index]));
  const layerOf = placed.map(({ layer }) => places.get(layer ?? "") ?? -1);
  for (const { afterLayer, ttl } of layout.breakpoints) {
    const index = layerOf.findLastIndex((layer) => layer <= (places.get(afterLayer) ?? -1));
    if (index >= 0 && !marks.has(index)) marks.set(index, ttl);
  }
  return placed.map((one, index) => {
    const mark = marks.get(index);
    if (mark === undefined) return one;
    return {
      ...one,
      mark,
      block: { ...one.block, cache_control: mark === "1h" ? { type: "ephemeral", ttl: "1h" } : { type: "ephemeral" } },
    };
  });
}

/** Neighbours of one role form one message. */
function messagesOf(blocks: readonly PlacedBlock[]): readonly RenderedMessage[] {
  const messages: { role: "user" | "assistant"; content: RenderedBlock[] }[] = [];
  for (const { role, block } of blocks) {
    const speaker = role === "assistant" ? "assistant" : "user";
    const last = messages.at(-1);
    if (last?.role === speaker) last.content.push(block);
    else messages.push({ role: speaker, content: [block] });
  }
  return messages;
}
