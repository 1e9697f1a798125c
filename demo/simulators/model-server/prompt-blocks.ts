import { sha256 } from "../../../src/core/json.ts";
import type { CacheControl, ContentBlock, PromptBody } from "./messages-body.ts";
import type { ServedModel } from "./model-catalogue.ts";

/** How long an entry stays readable after its last use. */
export type CacheTtl = "5m" | "1h";

/** One block of the prompt in the order in which the model, and the cache, sees it. */
export interface PromptBlock {
  /** Where it stands in the body, e.g. `system.0`; for error messages. */
  readonly path: string;
  /** Hash of everything up to and including this block: the key of a cache entry. */
  readonly prefixHash: string;
  /** Tokens of everything up to and including this block. */
  readonly prefixTokens: number;
  /** Set when a breakpoint stands here. */
  readonly breakpoint?: CacheTtl;
}

interface RawBlock {
  readonly path: string;
  readonly bytes: string;
  readonly tokens: number;
  readonly cacheControl: CacheControl | undefined;
  readonly cacheable: boolean;
}

/** Why a prompt's breakpoints are refused, in the provider's words. */
export type BlocksResult =
  | { readonly ok: true; readonly blocks: readonly PromptBlock[]; readonly totalTokens: number }
  | { readonly ok: false; readonly message: string };

/** Tokens of a text: at least one, and an estimate by bytes, which is all that billing by usage needs. */
function tokensOf(text: string, model: ServedModel): number {
  return text === "" ? 0 : Math.max(1, Math.ceil(Buffer.byteLength(text) / model.bytesPerToken));
}

function contentBlocks(content: string | readonly ContentBlock[], path: string, model: ServedModel): RawBlock[] {
  const blocks: readonly ContentBlock[] = typeof content === "string" ? [{ type: "text", text: content }] : content;
  return blocks.map((block, index) => {
    const { cache_control: cacheControl, ...fields } = block;
    // Key order is kept: a block whose fields were shuffled is another prefix.
    const bytes = JSON.stringify(fields);
    return {
      path: typeof content === "string" ? path : `${path}.${index}`,
      bytes,
      tokens: tokensOf(block.type === "text" ? (block.text ?? "") : bytes, model),
      cacheControl: cacheControl ?? undefined,
      cacheable: block.type !== "thinking" && block.type !== "redacted_thinking" && !(block.type === "text" && (block.text ?? "") === ""),
    };
  });
}

function hasImage(body: PromptBody): boolean {
  return body.messages.some(({ content }) => typeof content !== "string" && content.some((block) => block.type === "image"));
}

/**
 * Flattens a prompt in the order tools → system → messages with cumulative hashes and token counts.
 * A change of `tool_choice`, `thinking` or of images being there breaks the cache of the messages only, so it enters the hash where they begin.
 */
export function promptBlocks(body: PromptBody, model: ServedModel): BlocksResult {
  const tools = (body.tools ?? []).map((tool, index): RawBlock => {
    const { cache_control: cacheControl, ...fields } = tool;
    const bytes = JSON.stringify(fields);
    return { path: `tools.${index}`, bytes, tokens: tokensOf(bytes, model), cacheControl: cacheControl ?? undefined, cacheable: true };
  });
  const system = body.system === undefined ? [] : contentBlocks(body.system, "system", model);
  const messages = body.messages.flatMap((message, index) =>
    contentBlocks(message.content, `messages.${index}.content`, model).map((block) => ({
      ...block,
      bytes: `${message.role}:${block.bytes}`,
    })),
  );
  const raw = [...tools, ...system, ...messages];

  let last = -1;
  if (body.cache_control !== undefined && body.cache_control !== null) last = raw.findLastIndex((block) => block.cacheable);
  const marks = raw.map((block, index) => block.cacheControl ?? (index === last ? (body.cache_control ?? undefined) : undefined));

  const count = marks.filter((mark) => mark !== undefined).length;
  if (count > 4) return { ok: false, message: `A maximum of 4 blocks with cache_control may be provided. Found ${count}.` };
  let hasShortTtl = false;
  for (const [index, mark] of marks.entries()) {
    const block = raw[index];
    if (mark === undefined || block === undefined) continue;
    if (!block.cacheable)
      return { ok: false, message: `${block.path}.cache_control: cache_control cannot be set for empty text or thinking blocks` };
    if (mark.ttl === "1h" && hasShortTtl) {
      return {
        ok: false,
        message: `${block.path}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: \`tools\`, \`system\`, \`messages\`.`,
      };
    }
    if (mark.ttl !== "1h") hasShortTtl = true;
  }

  const messageMode = JSON.stringify({ choice: body.tool_choice, thinking: body.thinking, images: hasImage(body) });
  let hash = sha256(`model:${model.id}`);
  let total = 0;
  const blocks = raw.map((block, index): PromptBlock => {
    if (index === tools.length + system.length) hash = sha256(`${hash}\n${messageMode}`);
    const section = index < tools.length ? "tool" : index < tools.length + system.length ? "system" : "message";
    hash = sha256(`${hash}\n${section}\n${block.bytes}`);
    total += block.tokens;
    const mark = marks[index];
    return { path: block.path, prefixHash: hash, prefixTokens: total, ...(mark === undefined ? {} : { breakpoint: mark.ttl ?? "5m" }) };
  });
  return { ok: true, blocks, totalTokens: total };
}
