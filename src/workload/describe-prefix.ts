import { canonicalJson, sha256, type Json } from "../core/json.ts";
import { mostBlocks, type Prefix, type PrefixBlock } from "../core/prefix-sample.ts";
import { maskSpans, volatileSpans } from "../core/volatile-span.ts";
import { canonicalText, type PlacedBlock } from "./render-prompt.ts";

/** How a prompt is described. */
export interface DescribeOptions {
  /** Everything else of the request that breaks the cache of the messages: tool choice, thinking, output format. */
  readonly parameters?: Json;
  /** Tokens of a text; by default an estimate from its bytes. */
  readonly countTokens?: (text: string) => number;
}

/** Bytes of one token when nobody counts; the total is scaled to the measured one before it is used. */
const bytesPerToken = 3.6;

const shortHash = (text: string) => sha256(text).slice(0, 32);

/** A prompt as hashes of its blocks: what may leave the application. Undefined when it has none, or more than are taken. */
export function describePrefix(blocks: readonly PlacedBlock[], options: DescribeOptions = {}): Prefix | undefined {
  if (blocks.length === 0 || blocks.length > mostBlocks) return undefined;
  const count = options.countTokens ?? estimateTokens;
  return {
    blocks: blocks.map((block) => describeBlock(block, count)),
    ...(options.parameters === undefined ? {} : { parameters: shortHash(canonicalJson(options.parameters)) }),
  };
}

function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / bytesPerToken);
}

function describeBlock({ role, layer, mark, block }: PlacedBlock, count: (text: string) => number): PrefixBlock {
  const { cache_control: _mark, ...rest } = block;
  const text = rest["text"];
  const isText = rest["type"] === "text" && typeof text === "string";
  const bytes = JSON.stringify(rest);
  const hash = shortHash(bytes);
  const clean = isText ? canonicalText(text) : canonicalJson(rest);
  const canonical = shortHash(isText ? JSON.stringify({ ...rest, text: clean }) : clean);
  const spans = volatileSpans(clean);
  return {
    role,
    kind: role === "tools" ? "tool" : kindOf(rest["type"]),
    hash,
    tokens: count(isText ? text : bytes),
    ...(layer === undefined ? {} : { layer }),
    ...(mark === undefined ? {} : { mark }),
    ...(canonical === hash ? {} : { canonical }),
    ...(spans.length === 0
      ? {}
      : {
          masked: shortHash(maskSpans(clean, spans)),
          spans: [...new Set(spans.map(({ kind }) => kind))],
          spanTokens: spans.reduce((sum, { start, end }) => sum + count(clean.slice(start, end)), 0),
        }),
  };
}

function kindOf(type: unknown): string {
  return typeof type === "string" && /^[\w.-]{1,40}$/.test(type) ? type : "other";
}
