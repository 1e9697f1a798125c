import { runtimeContextLayer, type Stability } from "../../../packages/sdk/src/wire/prompt-layout.ts";
import { conversation, type SegmentBlock, type SegmentedRequest } from "./cache-samples.ts";
import { stabilityRank } from "./cache-units.ts";

/** What the words around a span that moves along with it are assumed to be, and the tags around the runtime context: a few tokens. */
const contextTokens = 8;
/** A unit of which more than this is volatile moves as a whole. */
const mostlyVolatile = 0.5;
/** So does one that is no longer than a line or two. */
const shortTokens = 64;

const roleRank = { tools: 0, system: 1, user: 2, assistant: 2 } as const;

/** T1: every block in canonical form, tools in one order. */
export function canonicalize(requests: readonly SegmentedRequest[]): SegmentedRequest[] {
  return requests.map((request) => {
    const blocks = request.blocks.map((block) => ({ ...block, hash: block.canonical ?? block.hash }));
    const tools = blocks.filter(({ role }) => role === "tools").sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0));
    return { ...request, blocks: [...tools, ...blocks.filter(({ role }) => role !== "tools")] };
  });
}

/** T2: the volatile spans of one unit go behind everything else. */
export function cutSpans(requests: readonly SegmentedRequest[], unit: string): SegmentedRequest[] {
  return requests.map((request) => {
    const remainingBlocks: SegmentBlock[] = [];
    const moved: string[] = [];
    let movedTokens = 0;
    for (const block of request.blocks) {
      if (block.unit !== unit || block.masked === undefined) {
        remainingBlocks.push(block);
        continue;
      }
      const { masked, spanTokens = 0 } = block;
      moved.push(block.hash);
      if (movesWhole(block)) {
        movedTokens += block.tokens;
      } else {
        movedTokens += spanTokens;
        remainingBlocks.push({ ...withoutMask(block), hash: masked, tokens: block.tokens - spanTokens });
      }
    }
    if (moved.length === 0) return request;
    const last = remainingBlocks.at(-1);
    const joined = last?.unit === runtimeContextLayer ? last : undefined;
    const context: SegmentBlock = {
      role: "user",
      kind: "text",
      unit: runtimeContextLayer,
      hash: [...(joined === undefined ? [] : [joined.hash]), ...moved].join("+"),
      tokens: (joined?.tokens ?? contextTokens) + movedTokens,
    };
    return { ...request, blocks: [...(joined === undefined ? remainingBlocks : remainingBlocks.slice(0, -1)), context] };
  });
}

/** Whether a block with volatile spans is so short, or so much of it volatile, that it moves as a whole. */
export function movesWhole({ tokens, spanTokens = 0 }: Pick<SegmentBlock, "tokens" | "spanTokens">): boolean {
  return tokens <= shortTokens || spanTokens > tokens * mostlyVolatile;
}

/** T3 and T4: units in the order of their stability, each in its own role; what the stabilities do not name keeps its place among its equals. */
export function orderUnits(requests: readonly SegmentedRequest[], stabilities: ReadonlyMap<string, Stability>): SegmentedRequest[] {
  const rank = ({ unit }: SegmentBlock) =>
    unit === runtimeContextLayer
      ? stabilityRank("request") + 1
      : stabilityRank(unit === conversation ? "turn" : (stabilities.get(unit) ?? "ticket"));
  return requests.map((request) => {
    const blocks = request.blocks
      .map((block, index) => ({ block, index }))
      .sort((a, b) => roleRank[a.block.role] - roleRank[b.block.role] || rank(a.block) - rank(b.block) || a.index - b.index)
      .map(({ block }) => block);
    return { ...request, blocks };
  });
}

/** T5: nothing but the text decides. */
export function pinParameters(requests: readonly SegmentedRequest[]): SegmentedRequest[] {
  return requests.map(({ parameters: _parameters, ...request }) => request);
}

function withoutMask({
  masked: _masked,
  spans: _spans,
  spanTokens: _spanTokens,
  canonical: _canonical,
  ...block
}: SegmentBlock): SegmentBlock {
  return block;
}
