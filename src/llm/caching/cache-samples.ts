import type { PrefixBlock } from "../../../packages/sdk/src/wire/prefix.ts";
import { historyLayer } from "../../../packages/sdk/src/wire/prompt-layout.ts";
import type { MeasuredTokens, PrefixSample } from "../../core/prefix-sample.ts";
import type { Marker, TraceRequest } from "./cache-replay.ts";

/** The unit that holds the conversation so far. */
export const conversation = historyLayer;

/** A block with the unit that it belongs to: its layer, or where it stands. Tokens are scaled to the measured total and need not be whole. */
export interface SegmentBlock extends PrefixBlock {
  readonly unit: string;
  /** Where the application has opted in. */
  readonly text?: string;
}

/** One request, cut into units; what is replayed, transformed and replayed again. */
export interface SegmentedRequest {
  readonly at: number;
  readonly ttftMs: number;
  readonly ticketId: string;
  readonly blocks: readonly SegmentBlock[];
  readonly parameters?: string;
  readonly measured: MeasuredTokens;
}

/** Samples of one prompt on one model that can be used, and how many cannot. */
export interface SampleSet {
  /** In the order of their sending. */
  readonly requests: readonly SegmentedRequest[];
  /** Samples whose usage contradicts itself or their own blocks. */
  readonly contradictory: number;
  /** Whether every request of the set has at least one block that was rendered from a layer. */
  readonly layered: boolean;
}

/** Tokens of blocks are estimates; beyond this factor of the measured total they describe another prompt. */
const maxOff = 2;

/** Measured prompt tokens. */
export function measuredTotal({ uncached, read, write5m, write30m, write1h, write12h }: MeasuredTokens): number {
  return uncached + read + write5m + write30m + write1h + write12h;
}

/** Cuts samples into units and scales their tokens. */
export function segmentSamples(samples: readonly PrefixSample[]): SampleSet {
  const requests: SegmentedRequest[] = [];
  let layered = samples.length > 0;
  for (const { at, ttftMs, ticketId, blocks, parameters, measured, texts = [] } of samples.toSorted((a, b) => a.at - b.at)) {
    const estimated = blocks.reduce((sum, { tokens }) => sum + tokens, 0);
    const total = measured === undefined ? 0 : measuredTotal(measured);
    const scale = estimated === 0 ? 0 : total / estimated;
    if (measured === undefined || scale < 1 / maxOff || scale > maxOff) continue;
    const textOf = new Map(texts.map(({ block, text }) => [block, text]));
    layered &&= blocks.some(({ layer }) => layer !== undefined);
    requests.push({
      at,
      ttftMs,
      ticketId,
      blocks: nameUnits(blocks).map((block, index) => {
        const text = textOf.get(index);
        return {
          ...block,
          tokens: block.tokens * scale,
          ...(block.spanTokens === undefined ? {} : { spanTokens: block.spanTokens * scale }),
          ...(text === undefined ? {} : { text }),
        };
      }),
      ...(parameters === undefined ? {} : { parameters }),
      measured,
    });
  }
  return { requests, contradictory: samples.length - requests.length, layered };
}

/** Blocks of the first message but its last one are what an application puts before the question: each is a unit, as a block of the system is. */
function nameUnits(blocks: readonly PrefixBlock[]): SegmentBlock[] {
  let system = 0;
  let message = 0;
  const answer = blocks.findIndex(({ role }) => role === "assistant");
  const question = blocks.findLastIndex(({ role }, index) => role === "user" && (answer < 0 || index < answer));
  return blocks.map((block, index) => {
    if (block.layer !== undefined) return { ...block, unit: block.layer };
    if (block.role === "tools") return { ...block, unit: "tools" };
    if (block.role === "user" && index < question) return { ...block, unit: `message block ${(message += 1)}` };
    if (block.role !== "system") return { ...block, unit: conversation };
    system += 1;
    return { ...block, unit: `system block ${system}` };
  });
}

/** Requests as the replay takes them. */
export function traceOf(requests: readonly SegmentedRequest[]): TraceRequest[] {
  return requests.map(({ at, ttftMs, blocks, parameters }) => {
    const messagesFrom = blocks.findIndex(({ role }) => role === "user" || role === "assistant");
    return { at, ttftMs, blocks, messagesFrom, ...(parameters === undefined ? {} : { parameters }) };
  });
}

/** The markers that a request was sent with. */
export function sentMarkers({ blocks }: SegmentedRequest): readonly Marker[] {
  return blocks.flatMap(({ mark }, block) => (mark === undefined ? [] : [{ block, ttl: mark }]));
}

/** Requests that only warm the cache of a replay: the real cache was warm when the samples begin. At most a fifth of them. */
export function warmUp(requests: readonly SegmentedRequest[], lifetimeMs: number): number {
  const begin = requests[0]?.at ?? 0;
  const warm = requests.findIndex(({ at }) => at - begin > lifetimeMs);
  return Math.min(warm < 0 ? requests.length : warm, Math.floor(requests.length / 5));
}
