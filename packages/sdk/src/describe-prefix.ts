import { hash } from "node:crypto";
import { canonicalJson } from "./wire/json.ts";
import { maskSecrets } from "./wire/mask-secrets.ts";
import { type BlockRole, maxBlocks, type Prefix, type PrefixBlock } from "./wire/prefix.ts";
import { type CacheLifetime, historyLayer } from "./wire/prompt-layout.ts";
import { maskSpans, volatileSpans } from "./wire/volatile-span.ts";

/** One block of a prompt in the order in which the cache sees it: tools, system, messages. */
export interface DescribedBlock {
  readonly role: BlockRole;
  /** The layer that it was rendered from. */
  readonly layer?: string;
  /** The lifetime of the marker on it. */
  readonly mark?: CacheLifetime;
  /** As it is sent; `cache_control` and `prompt_cache_breakpoint` do not count. */
  readonly block: { readonly [field: string]: unknown };
}

/** What describing can be told. */
export interface DescribeOptions {
  /** Everything else that breaks the cache of the messages: tool choice, thinking, output format, cache key. */
  readonly parameters?: unknown;
  /** Sends the texts of tools and system blocks along, without what looks like a secret, for people who look for a cause. Off by default: hashes only. */
  readonly texts?: boolean;
  /** Tokens of a serialized block; by default its bytes divided by 3.6. */
  readonly countTokens?: (serialized: string) => number;
}

const bytesPerToken = 3.6;
/** A longer block is hashed and not looked into. */
const maxInspectedLength = 100_000;
const maxTexts = 40;
const maxTextLength = 20_000;

/**
 * The prefix of a request as hashes, for `reportUsage`. Undefined for a prompt of more blocks than are taken. Pure: equal bytes have equal hashes.
 * Tools, system blocks, blocks of layers and the first message are also hashed in canonical form and with clocks, ids and counters masked, so that a cause can be named without a text.
 */
export function describePrefix(blocks: readonly DescribedBlock[], options: DescribeOptions = {}): Prefix | undefined {
  if (blocks.length === 0 || blocks.length > maxBlocks) return undefined;
  const { parameters, texts = false } = options;
  const answer = blocks.findIndex(({ role }) => role === "assistant");
  const isOpening = ({ role }: DescribedBlock, index: number) => role === "user" && (answer < 0 || index < answer);
  const described = blocks.map((block, index) => describeBlock(block, isInspected(block, isOpening(block, index)), options));
  const shown = texts
    ? blocks.flatMap(({ role, block }, index) =>
        role === "tools" || role === "system" ? [{ block: index, text: maskSecrets(bytesOf(block)).slice(0, maxTextLength) }] : [],
      )
    : [];
  return {
    blocks: described,
    ...(parameters === undefined ? {} : { parameters: digest(canonicalJson(parameters)) }),
    ...(shown.length === 0 ? {} : { texts: shown.slice(0, maxTexts) }),
  };
}

/** What an application writes itself; turns of the conversation do not change, but for the first, into which some put a clock. */
function isInspected({ role, layer, block }: DescribedBlock, isOpening: boolean): boolean {
  const isPromptContent = role === "tools" || role === "system" || isOpening || (layer !== undefined && layer !== historyLayer);
  return isPromptContent && bytesOf(block).length <= maxInspectedLength;
}

function describeBlock({ role, layer, mark, block }: DescribedBlock, inspect: boolean, { countTokens }: DescribeOptions): PrefixBlock {
  const bytes = bytesOf(block);
  const tokens = Math.ceil(countTokens === undefined ? Buffer.byteLength(textOf(block) ?? bytes) / bytesPerToken : countTokens(bytes));
  const kind =
    typeof block["type"] === "string" && /^[\w.-]{1,40}$/.test(block["type"]) ? block["type"] : role === "tools" ? "tool" : "text";
  const blockHash = digest(`${role} ${bytes}`);
  return {
    role,
    kind,
    hash: blockHash,
    tokens,
    ...(layer === undefined ? {} : { layer }),
    ...(mark === undefined ? {} : { mark }),
    ...(inspect ? fingerprints(role, block, blockHash) : {}),
  };
}

function fingerprints(role: BlockRole, block: DescribedBlock["block"], hash: string): Partial<PrefixBlock> {
  const canonical = canonicalOf(block);
  const canonicalHash = digest(`${role} ${canonical}`);
  const spans = volatileSpans(canonical);
  const spanBytes = spans.reduce((sum, { start, end }) => sum + end - start, 0);
  return {
    ...(canonicalHash === hash ? {} : { canonical: canonicalHash }),
    ...(spans.length === 0
      ? {}
      : {
          masked: digest(`${role} ${maskSpans(canonical, spans)}`),
          spans: [...new Set(spans.map(({ kind }) => kind))],
          spanTokens: Math.ceil(spanBytes / bytesPerToken),
        }),
  };
}

/** Sorted keys, `\n` at ends of lines and no blanks before them; a text that is JSON as a whole is treated as JSON. */
function canonicalOf(block: DescribedBlock["block"]): string {
  const text = textOf(block);
  if (text === undefined) return canonicalJson(withoutMarks(block));
  return canonicalJson({ ...withoutMarks(block), text: jsonOf(text) ?? text.replaceAll(/[ \t]{0,500}\r?\n/g, "\n").trimEnd() });
}

function jsonOf(text: string): unknown {
  if (!/^\s{0,20}[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOf({ type, text }: DescribedBlock["block"]): string | undefined {
  return typeof text === "string" && (type === undefined || type === "text" || type === "input_text" || type === "output_text")
    ? text
    : undefined;
}

/** Key order is kept: a block whose fields were shuffled is another prefix. */
function bytesOf(block: DescribedBlock["block"]): string {
  return JSON.stringify(withoutMarks(block));
}

function withoutMarks({
  cache_control: _cache,
  prompt_cache_breakpoint: _breakpoint,
  ...block
}: DescribedBlock["block"]): DescribedBlock["block"] {
  return block;
}

/** 64 bits tell the blocks of one prompt apart, and no text can be read from them. */
function digest(text: string): string {
  return hash("sha256", text).slice(0, 16);
}
