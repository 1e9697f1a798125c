import type { PrefixBlock } from "../../packages/sdk/src/wire/prefix.ts";
import type { CacheLifetime } from "../../packages/sdk/src/wire/prompt-layout.ts";
import type { PrefixSample } from "../../src/core/prefix-sample.ts";
import { prepareTrace, replayCache } from "../../src/llm/caching/cache-replay.ts";
import { cacheRulesOf } from "../../src/llm/caching/cache-rules.ts";
import { createPythonRandom } from "../fakes/mersenne-twister.ts";
import { aBlock } from "./a-prefix-sample.ts";

/** One call of an agent on a ticket: what its prompt is made of. */
export interface WorkloadCall {
  readonly atMs: number;
  readonly repo: string;
  readonly ticket: number;
  readonly turn: number;
  /** One block per earlier turn. */
  readonly history: readonly { readonly name: string; readonly tokens: number }[];
}

/** How busy it is. */
export interface WorkloadShape {
  readonly seed: number;
  readonly hours: number;
  readonly ticketsPerHour: number;
  readonly turns: number;
  /** Mean seconds between two turns of a ticket. */
  readonly gapSeconds: number;
}

/** The busy workload: 3,453 calls on 240 tickets of 3 repositories. */
export const busyWorkload: WorkloadShape = { seed: 7, hours: 6, ticketsPerHour: 40, turns: 14, gapSeconds: 22 };
/** The same with little traffic. */
export const quietWorkload: WorkloadShape = { seed: 9, hours: 24, ticketsPerHour: 3, turns: 10, gapSeconds: 70 };

/** Calls in the order of their time; the same for the same shape. */
export function createWorkload(shape: WorkloadShape): readonly WorkloadCall[] {
  const random = createPythonRandom(shape.seed);
  const calls: WorkloadCall[] = [];
  let seconds = 0;
  let ticket = 0;
  while (seconds < shape.hours * 3600) {
    seconds += random.exponential(shape.ticketsPerHour / 3600);
    ticket += 1;
    const repo = random.choose(["api", "web", "infra"], [0.5, 0.35, 0.15]);
    const turns = Math.max(3, Math.trunc(random.gauss(shape.turns, 4)));
    const history: { name: string; tokens: number }[] = [];
    let at = seconds;
    for (let turn = 0; turn < turns; turn += 1) {
      calls.push({ atMs: at * 1000, repo, ticket, turn, history: [...history] });
      history.push({ name: `${ticket}-${turn}`, tokens: random.integer(500, 1500) });
      at += Math.max(3, random.exponential(1 / shape.gapSeconds));
    }
  }
  return calls.sort((a, b) => a.atMs - b.atMs);
}

/** How the prompt is laid out. `shipped`: tools in one of two orders, a clock first, the ticket before the repository's guide. */
export type WorkloadLayout = "shipped" | "sorted tools" | "clock last" | "static first";

const layer = (key: string, name: string, tokens: number, change: Partial<PrefixBlock> = {}) =>
  aBlock(name, tokens, { layer: key, ...change });

/** The blocks of one call. */
export function layOut(call: WorkloadCall, layout: WorkloadLayout): readonly PrefixBlock[] {
  const second = Math.trunc(call.atMs / 1000);
  const order = layout === "shipped" ? second % 2 : 0;
  const role = { role: "tools", kind: "tool" } as const;
  const sorted = [layer("tools", "tool a", 1600, role), layer("tools", "tool b", 1600, role)];
  const tools = order === 0 ? sorted : sorted.toReversed();
  const clock = layer("clock", `clock ${second}`, 30, { masked: aBlock("clock <time>", 30).hash, spans: ["time"], spanTokens: 20 });
  const lastClock = { ...clock, role: "user" as const };
  const system = layer("system", "system", 2600);
  const ticket = layer("ticket", `ticket ${call.ticket}`, 900);
  const conventions = layer("conventions", "conventions", 5200);
  const guide = layer("guide", `guide ${call.repo}`, 7800);
  const history = call.history.map(({ name, tokens }) => aBlock(name, tokens, { role: "assistant" }));
  switch (layout) {
    case "shipped":
    case "sorted tools":
      return [...tools, clock, system, ticket, conventions, guide, ...history];
    case "clock last":
      return [...tools, system, ticket, conventions, guide, ...history, lastClock];
    case "static first":
      return [...tools, system, conventions, guide, ticket, ...history, lastClock];
  }
}

/** Where the markers stand: behind the last block, before the clock at the end, or behind conventions, guide and the last turn. */
export type WorkloadMarks = "last block" | "before the clock" | { readonly layers: CacheLifetime };

/** Indexes of the marked blocks with their lifetimes. */
export function marksOf(
  blocks: readonly PrefixBlock[],
  marks: WorkloadMarks,
): readonly { readonly block: number; readonly ttl: CacheLifetime }[] {
  const last = blocks.length - 1;
  if (marks === "last block") return [{ block: last, ttl: "5m" }];
  if (marks === "before the clock") return [{ block: last - 1, ttl: "5m" }];
  const shared = ["conventions", "guide"].map((key) => ({
    block: blocks.findLastIndex((block) => block.layer === key),
    ttl: marks.layers,
  }));
  return [...shared, { block: last - 1, ttl: "5m" }];
}

/** Calls as samples, billed as the provider's rules bill them; `reliability` of the reads that the rules allow do happen. */
export function sampleWorkload(
  calls: readonly WorkloadCall[],
  layout: WorkloadLayout | ((call: WorkloadCall) => readonly PrefixBlock[]),
  marks: WorkloadMarks,
  { reliability = 1 } = {},
): readonly PrefixSample[] {
  const rules = cacheRulesOf("anthropic", "claude-sonnet-4-5");
  if (rules === undefined) throw new Error("the rules of Anthropic are known");
  const laidOut = calls.map((call) => (typeof layout === "function" ? layout(call) : layOut(call, layout)));
  const markers = laidOut.map((blocks) => marksOf(blocks, marks));
  const billed: PrefixSample["measured"][] = [];
  const trace = prepareTrace(calls.map(({ atMs }, index) => ({ at: atMs, ttftMs: 4000, blocks: laidOut[index] ?? [] })));
  replayCache(
    trace,
    { markersOf: (index) => markers[index] ?? [], rules },
    {
      reliability,
      onRequest: (index, { read, write, uncached }) =>
        (billed[index] = { uncached, read, write5m: write["5m"], write30m: 0, write1h: write["1h"], write12h: 0, output: 400 }),
    },
  );
  return calls.map((call, index): PrefixSample => {
    const marked = new Map(markers[index]?.map(({ block, ttl }) => [block, ttl]));
    const measured = billed[index];
    return {
      id: `${call.ticket}-${call.turn}`,
      at: call.atMs,
      ttftMs: 4000,
      prompt: "implement",
      provider: "anthropic",
      model: "claude-sonnet-4-5",
      ticketId: `T-${call.ticket}`,
      variant: "baseline",
      blocks: (laidOut[index] ?? []).map((block, place) => {
        const mark = marked.get(place);
        return mark === undefined ? block : { ...block, mark };
      }),
      ...(measured === undefined ? {} : { measured }),
    };
  });
}
