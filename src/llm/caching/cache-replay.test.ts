import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { PromptBlock } from "../../../demo/simulators/model-server/prompt-blocks.ts";
import { createPromptCache } from "../../../demo/simulators/model-server/prompt-cache.ts";
import { type CacheLifetime, lifetimeMs } from "../../../packages/sdk/src/wire/prompt-layout.ts";
import {
  busyWorkload,
  createWorkload,
  layOut,
  marksOf,
  quietWorkload,
  type WorkloadLayout,
  type WorkloadMarks,
} from "../../../test/builders/cache-workload.ts";
import { breakEvenHit, layeredCost, longLifetimeHit, replayCost } from "./cache-cost.ts";
import { hitRatio, type Marker, prepareTrace, replayCache, type TraceRequest } from "./cache-replay.ts";
import { type CacheRules, cacheRulesOf } from "./cache-rules.ts";

const rules = cacheRulesOf("anthropic", "claude-sonnet-4-5");
if (rules === undefined) throw new Error("the rules of Anthropic are known");
const known: CacheRules = rules;
const prices = { input: 3_000_000, read: 300_000, write: { "5m": 3_750_000, "1h": 6_000_000 } };

function replayWorkload(shape: typeof busyWorkload, layout: WorkloadLayout, marks: WorkloadMarks) {
  const blocks = createWorkload(shape).map((call) => ({ at: call.atMs, ttftMs: 4000, blocks: layOut(call, layout) }));
  const markers = blocks.map((request) => marksOf(request.blocks, marks));
  const tokens = replayCache(prepareTrace(blocks), { markersOf: (index) => markers[index] ?? [], rules: known });
  return { requests: blocks.length, tokens, hit: 100 * hitRatio(tokens), usd: replayCost(tokens, prices) / 1_000_000 };
}

// Figures of the simulator from which the rules were first worked out, on the same calls.
describe("the replay of a known workload", () => {
  it("is the workload of 3,453 calls with 26,590 tokens each", () => {
    const { requests, tokens } = replayWorkload(busyWorkload, "shipped", "last block");
    expect(requests).toBe(3453);
    expect(tokens.total / requests).toBeCloseTo(26_589.675, 2);
  });

  it.each<[string, WorkloadLayout, WorkloadMarks, number, number]>([
    ["as shipped", "shipped", "last block", 0, 344.3],
    ["with sorted tools only", "sorted tools", "last block", 0, 344.3],
    ["with the clock at the end and the marker before it", "clock last", "before the clock", 89.4, 61.04],
    ["with what is shared first, and one marker", "static first", "before the clock", 89.4, 61.04],
    ["with three markers", "static first", { layers: "5m" }, 95.2, 42.63],
    ["with an hour for the shared layers", "static first", { layers: "1h" }, 95.5, 41.8],
  ])("%s", (_, layout, marks, hit, usd) => {
    const replayed = replayWorkload(busyWorkload, layout, marks);
    expect(Math.abs(replayed.hit - hit)).toBeLessThan(0.1);
    expect(Math.abs(replayed.usd / usd - 1)).toBeLessThan(0.002);
  });

  it.each<[string, WorkloadLayout, WorkloadMarks, number, number]>([
    ["as shipped", "shipped", "last block", 0, 73.18],
    ["with the clock at the end", "clock last", "before the clock", 86, 15.28],
    ["with three markers", "static first", { layers: "5m" }, 90.4, 12.32],
    ["with an hour for the shared layers", "static first", { layers: "1h" }, 94.4, 10.03],
  ])("with little traffic %s", (_, layout, marks, hit, usd) => {
    const replayed = replayWorkload(quietWorkload, layout, marks);
    expect(Math.abs(replayed.hit - hit)).toBeLessThan(0.1);
    expect(Math.abs(replayed.usd / usd - 1)).toBeLessThan(0.002);
  });

  it("shows that a broken cache costs more than none", () => {
    const { tokens } = replayWorkload(busyWorkload, "shipped", "last block");
    expect((tokens.total * prices.input) / 1e12).toBeCloseTo(275.44, 2);
  });
});

const aTrace = fc.array(
  fc.record({
    gapMs: fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 4_000_000 })),
    ttftMs: fc.integer({ min: 0, max: 5000 }),
    blocks: fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 26 }),
    shared: fc.integer({ min: 0, max: 26 }),
    markers: fc.uniqueArray(fc.nat(25), { maxLength: 4 }),
    long: fc.nat(4),
  }),
  { minLength: 2, maxLength: 14 },
);

const tokensOfBlock = (hash: string) => ({ a: 300, b: 700, c: 1100 })[hash] ?? 0;

/** Requests and markers from what was drawn; each request begins like the one before, else hardly anything would ever be read. */
function requestsOf(drawn: typeof aTrace extends fc.Arbitrary<infer Drawn> ? Drawn : never) {
  let at = 0;
  let before: string[] = [];
  const requests = drawn.map(({ gapMs, ttftMs, blocks, shared }) => {
    at += gapMs;
    before = [...before.slice(0, shared), ...blocks].slice(0, 26);
    return { at, ttftMs, blocks: before.map((hash) => ({ hash, tokens: tokensOfBlock(hash) })) };
  });
  const markers = drawn.map(({ markers: wanted, long }, index) =>
    wanted
      .filter((block) => block < (requests[index]?.blocks.length ?? 0))
      .sort((a, b) => a - b)
      .map((block, place): Marker => ({ block, ttl: place < long ? "1h" : "5m" })),
  );
  return { requests, markers };
}

describe("the replay by the provider's rules", () => {
  const request = (at: number, blocks: string, ttftMs = 1000): TraceRequest => ({
    at,
    ttftMs,
    blocks: blocks.split("").map((hash) => ({ hash, tokens: 1024 })),
  });
  const readBlocks = (requests: readonly TraceRequest[], markers: readonly (readonly Marker[])[], rule = known) => {
    const read: number[] = [];
    replayCache(
      prepareTrace(requests),
      { markersOf: (index) => markers[index] ?? [], rules: rule },
      { onRequest: (_, __, block) => read.push(block) },
    );
    return read;
  };
  const end =
    (ttl: CacheLifetime = "5m"): ((request: TraceRequest) => Marker[]) =>
    ({ blocks }) => [{ block: blocks.length - 1, ttl }];

  it("reads nothing before the first answer has begun", () => {
    const requests = [request(0, "ab"), request(999, "ab"), request(1000, "ab")];
    expect(readBlocks(requests, requests.map(end()))).toEqual([-1, -1, 1]);
  });

  it("reads until the lifetime after the last use, and not a moment longer", () => {
    const requests = [request(0, "ab"), request(300_000, "ab"), request(600_000, "ab"), request(900_001, "ab")];
    expect(readBlocks(requests, requests.map(end()))).toEqual([-1, 1, 1, -1]);
    expect(readBlocks(requests, requests.map(end("1h")))).toEqual([-1, 1, 1, 1]);
  });

  it("finds an entry 19 blocks before the marker, and none 20 before it", () => {
    const long = (extra: number) => request(2000, `a${"b".repeat(extra)}`);
    expect(readBlocks([request(0, "a"), long(19)], [[{ block: 0, ttl: "5m" }], [{ block: 19, ttl: "5m" }]])).toEqual([-1, 0]);
    expect(readBlocks([request(0, "a"), long(20)], [[{ block: 0, ttl: "5m" }], [{ block: 20, ttl: "5m" }]])).toEqual([-1, -1]);
  });

  it("caches nothing below the minimum", () => {
    const short = { ...known, minTokens: 2049 };
    const requests = [request(0, "ab"), request(2000, "ab")];
    expect(readBlocks(requests, requests.map(end()), short)).toEqual([-1, -1]);
    expect(replayCache(prepareTrace(requests), { markersOf: () => [{ block: 1, ttl: "5m" }], rules: short })).toMatchObject({
      uncached: 4096,
      read: 0,
    });
  });

  it("loses the messages when a parameter changes, and keeps what stands before them", () => {
    const requests = ["x", "y"].map((parameters, index) => ({ ...request(index * 2000, "abc"), messagesFrom: 1, parameters }));
    const markers: Marker[] = [0, 2].map((block) => ({ block, ttl: "5m" }));
    expect(readBlocks(requests, [markers, markers])).toEqual([-1, 0]);
  });

  it("needs no marker at OpenAI, and looks back to the ends of earlier prompts", () => {
    const requests = [request(0, "ab"), request(2000, "abc")];
    const rulesOf = (model: string) => cacheRulesOf("openai", model) ?? known;
    expect(readBlocks(requests, [[], []], rulesOf("gpt-5"))).toEqual([-1, 1]);
    expect(readBlocks(requests, [[], []], rulesOf("gpt-5.6-sol"))).toEqual([-1, 1]);
    // Before 5.6 every block's end can be read, from then on the ends of prompts.
    const branches = [request(0, "ab"), request(2000, "ac")];
    expect(readBlocks(branches, [[], []], rulesOf("gpt-4.1"))).toEqual([-1, 0]);
    expect(readBlocks(branches, [[], []], rulesOf("gpt-5.6-sol"))).toEqual([-1, -1]);
  });

  it("reads as rarely as the cache is reliable", () => {
    const requests = Array.from({ length: 2000 }, (_, index) => request(index * 2000, "ab"));
    const share = readBlocks(requests, requests.map(end())).filter((block) => block >= 0).length / 2000;
    expect(share).toBeGreaterThan(0.99);
    let read = 0;
    replayCache(
      prepareTrace(requests),
      { markersOf: () => [{ block: 1, ttl: "5m" }], rules: known },
      {
        reliability: 0.6,
        onRequest: (_, __, block) => (read += block >= 0 ? 1 : 0),
      },
    );
    expect(read / 2000).toBeCloseTo(0.6, 1);
  });

  it("never predicts a read that the rules forbid, and counts every token once", () => {
    fc.assert(
      fc.property(aTrace, (drawn) => {
        const { requests, markers } = requestsOf(drawn);
        const prefixOf = (index: number, block: number) =>
          requests[index]?.blocks
            .slice(0, block + 1)
            .map(({ hash }) => hash)
            .join("") ?? "";
        const upTo = (index: number, block: number) =>
          requests[index]?.blocks.slice(0, block + 1).reduce((sum, { tokens }) => sum + tokens, 0) ?? 0;
        const sum = replayCache(
          prepareTrace(requests),
          { markersOf: (index) => markers[index] ?? [], rules: known },
          {
            onRequest(index, tokens, block) {
              const { read, write, uncached, total } = tokens;
              expect(read + write["5m"] + write["1h"] + uncached).toBe(total);
              expect(read).toBe(block < 0 ? 0 : upTo(index, block));
              if (block < 0) return;
              const now = requests[index]?.at ?? 0;
              expect(markers[index]?.some((marker) => marker.block >= block && marker.block - block < 20)).toBe(true);
              expect(read).toBeGreaterThanOrEqual(known.minTokens);
              const prefix = prefixOf(index, block);
              const writers = requests
                .slice(0, index)
                .flatMap((earlier, other) =>
                  prefixOf(other, block) === prefix && earlier.at + earlier.ttftMs <= now
                    ? (markers[other] ?? []).filter((marker) => marker.block === block).map(({ ttl }) => ttl)
                    : [],
                );
              expect(writers).not.toEqual([]);
              const longest = Math.max(...writers.map((ttl) => lifetimeMs[ttl]));
              const lastUse = Math.max(
                ...requests.slice(0, index).flatMap((r, other) => (prefixOf(other, block) === prefix ? [r.at] : [])),
              );
              expect(now - lastUse).toBeLessThanOrEqual(longest);
            },
          },
        );
        expect(sum.read + sum.write["5m"] + sum.write["1h"] + sum.uncached).toBe(sum.total);
      }),
      { seed: 11, numRuns: 400 },
    );
  });

  it.each(["gpt-5", "gpt-5.6-sol"])("never predicts a read that OpenAI's rules forbid: %s", (model) => {
    const rule = cacheRulesOf("openai", model) ?? known;
    const lifeMs = rule.lifetimeMs[rule.lifetimes[0] ?? "30m"];
    let readAnything = 0;
    fc.assert(
      fc.property(aTrace, (drawn) => {
        const { requests } = requestsOf(drawn);
        const hashes = requests.map(({ blocks }) => blocks.map(({ hash }) => hash));
        const shares = (index: number, other: number, block: number) =>
          hashes[index]?.slice(0, block + 1).join() === hashes[other]?.slice(0, block + 1).join();
        replayCache(
          prepareTrace(requests),
          { markersOf: () => [], rules: rule },
          {
            onRequest(index, { read, write, uncached, total }, block) {
              expect(read + write["30m"] + uncached).toBe(total);
              if (block < 0) return;
              readAnything += 1;
              const now = requests[index]?.at ?? 0;
              expect(read).toBeGreaterThanOrEqual(1024);
              const sharing = requests
                .slice(0, index)
                .flatMap((earlier, other) => (shares(index, other, block) ? [{ earlier, other }] : []));
              // From 5.6 on a prefix is kept where an earlier prompt has ended; before that, at every block.
              const ended = sharing.filter(({ other }) => rule.automatic === "everywhere" || hashes[other]?.length === block + 1);
              expect(ended.some(({ earlier }) => earlier.at + earlier.ttftMs <= now)).toBe(true);
              expect(now - Math.max(...sharing.map(({ earlier }) => earlier.at))).toBeLessThanOrEqual(lifeMs);
              expect((requests[index]?.blocks.length ?? 0) - 1 - block).toBeLessThan(rule.lookbackBlocks);
            },
          },
        );
      }),
      { seed: 13, numRuns: 400 },
    );
    expect(readAnything).toBeGreaterThan(100);
  });

  it("never reads more than the model server, which keeps the same rules by itself", () => {
    let readAnything = 0;
    fc.assert(
      fc.property(aTrace, (drawn) => {
        const { requests, markers } = requestsOf(drawn);
        const cache = createPromptCache({ "5m": lifetimeMs["5m"], "1h": lifetimeMs["1h"] });
        const served = requests.map(({ at, ttftMs, blocks }, index) => {
          const own = new Map(markers[index]?.map(({ block, ttl }) => [block, ttl === "1h" ? ("1h" as const) : ("5m" as const)]));
          let prefixHash = "";
          let prefixTokens = 0;
          const marked = blocks.map(({ hash, tokens }, block): PromptBlock => {
            prefixHash += hash;
            prefixTokens += tokens;
            const breakpoint = own.get(block);
            return { path: `${block}`, prefixHash, prefixTokens, ...(breakpoint === undefined ? {} : { breakpoint }) };
          });
          const look = cache.lookup("w", marked, known.minTokens, at);
          cache.write(look, at + ttftMs);
          return look.split.read;
        });
        replayCache(
          prepareTrace(requests),
          { markersOf: (index) => markers[index] ?? [], rules: known },
          {
            onRequest(index, { read }) {
              expect(read).toBeLessThanOrEqual(served[index] ?? 0);
              if (read > 0) readAnything += 1;
            },
          },
        );
      }),
      { seed: 12, numRuns: 300 },
    );
    expect(readAnything).toBeGreaterThan(100);
  });
});

describe("break-even", () => {
  it("a marker pays above 21.7 % for five minutes and above 52.6 % for an hour", () => {
    expect(breakEvenHit(1.25)).toBeCloseTo(0.2174, 4);
    expect(breakEvenHit(2)).toBeCloseTo(0.5263, 4);
    expect(breakEvenHit(1)).toBe(0);
  });

  it.each([
    [0.5, 0.697],
    [0.6, 0.758],
    [0.7, 0.818],
    [0.8, 0.879],
    [0.9, 0.939],
  ])("an hour beats five minutes with %f hits when it hits more than %f", (short, long) =>
    expect(longLifetimeHit(short)).toBeCloseTo(long, 3),
  );

  it("at its break-even a marked segment costs as much as an unmarked one", () => {
    const marked = layeredCost([{ tokens: 5000, hit: breakEvenHit(1.25), writeMultiple: 1.25 }], {
      uncachedTokens: 0,
      inputPrice: 3_000_000,
    });
    expect(marked).toBeCloseTo(layeredCost([], { uncachedTokens: 5000, inputPrice: 3_000_000 }), 6);
  });

  it("a lifetime without a price cannot be chosen", () => {
    const tokens = { read: 0, write: { "5m": 0, "30m": 10, "1h": 0, "12h": 0 }, uncached: 0, total: 10 };
    expect(replayCost(tokens, prices)).toBe(Number.POSITIVE_INFINITY);
  });
});
