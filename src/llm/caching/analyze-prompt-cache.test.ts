import { describe, expect, it } from "@jest/globals";
import type { CacheAnalysis } from "../../../packages/sdk/src/wire/caches.ts";
import { aBlock, aPrefixSample } from "../../../test/builders/a-prefix-sample.ts";
import {
  busyWorkload,
  createWorkload,
  layOut,
  quietWorkload,
  sampleWorkload,
  type WorkloadCall,
} from "../../../test/builders/cache-workload.ts";
import type { PrefixSample } from "../../core/prefix-sample.ts";
import { analyzeCacheAtOnce } from "./analyze-prompt-cache.ts";
import { prepareTrace, replayCache } from "./cache-replay.ts";
import { cacheRulesOf } from "./cache-rules.ts";

const rules = cacheRulesOf("anthropic", "claude-sonnet-4-5");
const prices = { input: 3_000_000, read: 300_000, write: { "5m": 3_750_000, "1h": 6_000_000 } };
const busy = createWorkload(busyWorkload).slice(-600);

function analyse(samples: readonly PrefixSample[], change: Partial<Parameters<typeof analyzeCacheAtOnce>[0]> = {}) {
  return analyzeCacheAtOnce({ samples, rules, prices, ...change });
}
function analysed(samples: readonly PrefixSample[]): CacheAnalysis {
  const reply = analyse(samples);
  if (reply.kind !== "analysed") throw new Error(reply.sentence);
  return reply.analysis;
}
const causesOf = ({ causes }: CacheAnalysis) => causes.map(({ unit, class: name, transform }) => [unit, name, transform]);

describe("the analysis of a prompt that carries everything wrong", () => {
  const analysis = analysed(sampleWorkload(busy, "shipped", "last block"));

  it("does not blame the minimum for a short beginning that all requests share", () => {
    expect(causesOf(analysis).map(([, name]) => name)).not.toContain("below_minimum");
  });

  it("names each cause in the order in which mending one exposes the next", () => {
    expect(causesOf(analysis).slice(0, 3)).toEqual([
      ["tools", "order_noise", "T1"],
      ["clock", "volatile_span", "T2"],
      ["ticket", "scope_order", "T3"],
    ]);
    expect(analysis.causes[1]).toMatchObject({ risk: "low", evidence: { spans: ["time"] } });
    expect(analysis.causes[1]?.evidence.breakRatio).toBeGreaterThan(0.8);
    expect(analysis.causes[1]?.sentence).toContain("A time in clock changes and ends the prefix in 9");
  });

  it("predicts what each step brings, and the whole within what a good layout was measured to cost", () => {
    const [tools, clock, ticket] = analysis.causes;
    expect(tools?.hitAfter).toBeLessThan(0.2);
    expect(clock?.hitAfter).toBeGreaterThan(0.85);
    expect(ticket?.hitAfter).toBeGreaterThan(clock?.hitAfter ?? 1);
    const mended = analysed(sampleWorkload(busy, "static first", { layers: "1h" }));
    expect(Math.abs(analysis.predictedHit - mended.measuredHit)).toBeLessThan(0.01);
    expect(Math.abs(analysis.predictedCostPerDay / mended.costPerDay - 1)).toBeLessThan(0.02);
    expect(analysis.achievableHit).toBeGreaterThanOrEqual(analysis.predictedHit);
    expect(analysis.lostPerDay / analysis.costPerDay).toBeGreaterThan(0.85);
  });

  it("places markers behind what is shared and behind the last turn, the longer lifetimes first", () => {
    expect(analysis.markers).toEqual([
      { after: "conventions", ttl: "1h" },
      { after: "guide", ttl: "1h" },
      { after: "history", ttl: "5m" },
    ]);
    expect(analysis.units.map(({ unit, stability }) => `${unit} ${stability}`)).toEqual([
      "tools static",
      "system static",
      "conventions static",
      "guide repo",
      "ticket ticket",
      "history turn",
      "runtime_context request",
    ]);
    expect(analysis).not.toHaveProperty("blocked");
  });
});

it("the analysis predicts what calls of another day will read, once they are laid out so", () => {
  const calls = createWorkload({ seed: 4, hours: 4, ticketsPerHour: 20, turns: 12, gapSeconds: 40 });
  const half = Math.floor(calls.length / 2);
  const { predictedHit } = analysed(sampleWorkload(calls.slice(0, half), "shipped", "last block"));
  const { measuredHit } = analysed(sampleWorkload(calls.slice(half), "static first", { layers: "1h" }));
  expect(Math.abs(predictedHit - measuredHit)).toBeLessThan(0.01);
});

describe("the analysis of one fault at a time", () => {
  const good = (call: WorkloadCall) => layOut(call, "static first").slice(0, -1);
  const withCalls = (
    layout: (call: WorkloadCall) => ReturnType<typeof layOut>,
    marks: Parameters<typeof sampleWorkload>[2] = "last block",
  ) => analysed(sampleWorkload(busy, layout, marks));

  it("has nothing to say of a good layout", () => {
    const analysis = analysed(sampleWorkload(busy, "static first", { layers: "1h" }));
    expect(causesOf(analysis)).toEqual([]);
    expect(analysis.blocked).toBe("nothing_to_gain");
  });

  it("finds a request id in a long system text, and predicts to move only the id", () => {
    const analysis = withCalls((call) =>
      good(call).map((block) => {
        if (block.layer !== "system") return block;
        const masked = { masked: block.hash, spans: ["uuid" as const], spanTokens: 12 };
        return aBlock(`system ${call.ticket} ${call.turn}`, 2600, { layer: "system", ...masked });
      }),
    );
    expect(causesOf(analysis)[0]).toEqual(["system", "volatile_span", "T2"]);
    expect(analysis.causes[0]?.evidence.spans).toEqual(["uuid"]);
    expect(analysis.units.map(({ unit }) => unit)).toContain("system");
    expect(analysis.predictedHit).toBeGreaterThan(0.9);
  });

  it("finds a clock in the one text that a request of a single turn has, and what stays of that text", () => {
    const analysis = withCalls((call) => {
      const masked = { masked: aBlock("rules at <time>", 6000).hash, spans: ["time" as const], spanTokens: 10 };
      return [
        aBlock(`rules at ${call.atMs}`, 6000, { layer: "rules", ...masked }),
        aBlock(`question ${call.ticket} ${call.turn}`, 80, { role: "user", layer: "question" }),
      ];
    });
    expect(causesOf(analysis)[0]).toEqual(["rules", "volatile_span", "T2"]);
    expect(analysis.causes[0]?.evidence.damageTokens).toBeGreaterThan(5500);
    expect(analysis.predictedHit).toBeGreaterThan(0.9);
    expect(analysis.lostPerDay / analysis.costPerDay).toBeGreaterThan(0.8);
  });

  it("finds tools in any order, and keys of JSON in any order", () => {
    const tools = Array.from({ length: 6 }, (_, index) => aBlock(`tool ${index}`, 500, { role: "tools", kind: "tool", layer: "tools" }));
    const analysis = withCalls((call) => [
      ...tools.slice((call.turn * 7 + call.ticket) % 6),
      ...tools.slice(0, (call.turn * 7 + call.ticket) % 6),
      ...good(call).slice(2),
    ]);
    expect(causesOf(analysis)[0]).toEqual(["tools", "order_noise", "T1"]);
    expect(analysis.causes[0]?.evidence.orders).toBe(6);
    const keys = withCalls((call) =>
      good(call).map((block) =>
        block.layer === "system"
          ? aBlock(`system ${call.ticket * 31 + call.turn}`, 2600, { layer: "system", canonical: block.hash })
          : block,
      ),
    );
    expect(causesOf(keys)[0]).toEqual(["system", "order_noise", "T1"]);
  });

  it("finds a section that is there in some requests only", () => {
    const analysis = withCalls((call) => {
      const [first, second, ...rest] = good(call);
      // Seven optional sections: 128 variants, and each of them for every repository.
      const optional = [0, 1, 2, 3, 4, 5, 6]
        .filter((bit) => ((Math.imul(call.ticket, 2654435761) >>> (20 + bit)) & 1) === 1)
        .map((bit) => aBlock(`option ${bit}`, 300, { layer: `option-${bit}` }));
      return [first, second, ...optional, ...rest].filter((block) => block !== undefined);
    });
    const found = analysis.causes.filter(({ class: name }) => name === "conditional_section");
    expect(found.length).toBeGreaterThan(0);
    expect(found[0]).toMatchObject({ transform: "T4", risk: "medium" });
    expect(found[0]?.unit).toMatch(/^option-/);
  });

  it("finds a first message that is rewritten on every turn, and takes the turns of other tickets for what they are", () => {
    const opening = (call: WorkloadCall, name: string) =>
      aBlock(name, 700, { role: "user", masked: aBlock(`task ${call.ticket}`, 700).hash, spans: ["time"], spanTokens: 12 });
    const analysis = withCalls((call) => {
      const blocks = good(call);
      const history = blocks.findIndex(({ layer }) => layer === "ticket") + 1;
      return [...blocks.slice(0, history), opening(call, `task ${call.ticket} at ${call.turn}`), ...blocks.slice(history)];
    });
    expect(causesOf(analysis)[0]).toEqual(["history", "volatile_span", "T2"]);
    expect(analysis.predictedHit).toBeGreaterThan(0.9);
    const steady = withCalls((call) => [...good(call).slice(0, 6), opening(call, `task ${call.ticket}`), ...good(call).slice(6)], {
      layers: "5m",
    });
    expect(causesOf(steady).map(([, name]) => name)).not.toContain("volatile_span");
  });

  it("finds layers in another order from request to request", () => {
    const analysis = withCalls((call) => {
      const [tools, more, system, conventions, ...rest] = good(call);
      const layers = [tools, more, ...((call.ticket + call.turn) % 2 === 0 ? [system, conventions] : [conventions, system]), ...rest];
      const shuffled =
        (call.turn * 5 + call.ticket) % 3 === 0 ? [...layers.slice(0, 2), ...layers.slice(2, 6).toReversed(), ...layers.slice(6)] : layers;
      return shuffled.filter((block) => block !== undefined);
    });
    const [first] = analysis.causes;
    expect(first).toMatchObject({ class: "scope_order", transform: "T3" });
    expect(analysis.predictedHit).toBeGreaterThan(0.9);
  });

  it("finds parameters that change while the text does not", () => {
    const samples = sampleWorkload(busy, good, { layers: "5m" }).map(
      (sample, index): PrefixSample => ({
        ...sample,
        parameters: index % 2 === 0 ? "0123456789abcdef" : "fedcba9876543210",
      }),
    );
    const analysis = analysed(samples);
    expect(causesOf(analysis)[0]).toEqual(["parameters", "parameter_churn", "T5"]);
    expect(analysis.causes[0]?.evidence.damageTokens).toBeGreaterThan(500);
  });

  it("keeps what pinned parameters would win apart from what a new layout wins by itself", () => {
    const analysis = analysed(
      sampleWorkload(busy, "shipped", "last block").map(
        (sample, index): PrefixSample => ({ ...sample, parameters: index % 2 === 0 ? "0123456789abcdef" : "fedcba9876543210" }),
      ),
    );
    expect(analysis.transforms).toEqual(expect.arrayContaining(["T2", "T5"]));
    expect(analysis.byLayout?.hit).toBeLessThan(analysis.predictedHit - 0.02);
    expect(analysis.byLayout?.costPerDay).toBeGreaterThan(analysis.predictedCostPerDay);
    expect(analysed(sampleWorkload(busy, "shipped", "last block"))).not.toHaveProperty("byLayout");
  });

  it("finds that what a message puts before the question deserves a marker of its own", () => {
    const analysis = withCalls((call) => [
      aBlock("rules", 1500),
      aBlock("handbook", 9000, { role: "user" }),
      aBlock(`question ${call.ticket} ${call.turn}`, 60, { role: "user" }),
    ]);
    expect(analysis.measuredHit).toBe(0);
    expect(causesOf(analysis)).toEqual([["prompt", "marker_misplaced", "markers"]]);
    expect(analysis.markers).toEqual([{ after: "message block 1", ttl: expect.anything() }]);
    expect(analysis.predictedHit).toBeGreaterThan(0.95);
  });

  it("predicts what was measured where no layout of units would be cheaper", () => {
    // The shared part of a message is marked inside the conversation, which is one unit.
    const shared = aBlock("shared", 9000, { role: "assistant" });
    const analysis = analysed(
      sampleWorkload(
        busy.map((call) => ({ ...call, history: [] })),
        (call) => [shared, aBlock(`question ${call.ticket} ${call.turn}`, 60, { role: "user" }), aBlock("end", 1, { role: "user" })],
        "before the clock",
      ).map((sample) => {
        const { measured } = sample;
        if (measured === undefined) return sample;
        const blocks = sample.blocks.map(({ mark: _mark, ...block }, index) => (index === 0 ? { ...block, mark: "5m" as const } : block));
        const isFirst = sample.id === `${busy[0]?.ticket}-${busy[0]?.turn}`;
        return { ...sample, blocks, measured: { ...measured, uncached: 61, read: isFirst ? 0 : 9000, write5m: isFirst ? 9000 : 0 } };
      }),
    );
    expect(analysis).toMatchObject({ predictedHit: analysis.measuredHit, lostPerDay: 0, blocked: "nothing_to_gain", markers: [] });
    expect(analysis.measuredHit).toBeGreaterThan(0.95);
  });

  it("finds pauses that outlast the lifetime, and takes the longer one", () => {
    const analysis = analysed(sampleWorkload(createWorkload(quietWorkload), "static first", { layers: "5m" }));
    expect(causesOf(analysis)).toEqual([["prompt", "ttl_gap", "T6"]]);
    expect(analysis.markers[0]).toEqual({ after: "conventions", ttl: "1h" });
  });

  it("finds requests that start at the same moment, and advises to send one first", () => {
    const batches = busy
      .slice(0, 260)
      .map((call, index) => ({ ...call, atMs: Math.floor(index / 5) * 400_000, ticket: index, history: [] }));
    const samples = sampleWorkload(
      batches,
      (call) => [
        aBlock(`guide ${call.atMs}`, 6000, { layer: "guide" }),
        aBlock(`task ${call.ticket}`, 90, { role: "user", layer: "task" }),
      ],
      "before the clock",
    );
    const analysis = analysed(samples);
    expect(causesOf(analysis)).toEqual([["prompt", "fan_out", "T6"]]);
    expect(analysis.causes[0]?.sentence).toContain("send one first and the rest when it answers");
    expect(analysis.causes[0]?.evidence.missedShare).toBeGreaterThan(0.7);
    // Four of five would read what the first has written.
    expect(analysis.predictedHit).toBeGreaterThan(0.75);
    expect(analysis.lostPerDay / analysis.costPerDay).toBeGreaterThan(0.6);
    // A layout alone can only leave out markers that nobody reads from.
    expect(analysis.byLayout).toMatchObject({ hit: 0, markers: [] });
  });

  it("finds an entry further before the marker than the provider looks back", () => {
    // Each turn adds 25 small blocks behind a long text, and only the end is marked.
    const analysis = withCalls((call) => [
      aBlock("rules", 9000, { layer: "rules" }),
      ...Array.from({ length: 25 * (call.turn + 1) }, (_, index) => aBlock(`${call.ticket} ${index}`, 20, { role: "user" })),
    ]);
    expect(causesOf(analysis)).toContainEqual(["prompt", "lookback", "markers"]);
    expect(analysis.markers.map(({ after }) => after)).toContain("rules");
    expect(analysis.predictedHit).toBeGreaterThan(analysis.measuredHit + 0.3);
  });

  it("finds a prefix below the minimum", () => {
    const samples = Array.from({ length: 250 }, (_, index) =>
      aPrefixSample({
        id: `s${index}`,
        at: index * 20_000,
        ticketId: `T-${index}`,
        blocks: [aBlock("short guide", 600, { layer: "guide", mark: "5m" }), aBlock(`question ${index}`, 300, { role: "user" })],
        measured: { uncached: 900, read: 0, write5m: 0, write30m: 0, write1h: 0, write12h: 0, output: 10 },
      }),
    );
    const analysis = analysed(samples);
    expect(causesOf(analysis)).toEqual([["prompt", "below_minimum", "T7"]]);
    expect(analysis).toMatchObject({ markers: [], predictedHit: 0, blocked: "nothing_to_gain" });
  });

  it("finds a marker behind what changes when nothing else is wrong", () => {
    const analysis = withCalls((call) => layOut(call, "static first"));
    expect(causesOf(analysis)).toContainEqual(["prompt", "marker_misplaced", "markers"]);
    expect(analysis.transforms).not.toContain("T2");
    expect(analysis.predictedHit).toBeGreaterThan(0.9);
  });

  it("says of a change without a reason in its hashes that it cannot tell", () => {
    const analysis = withCalls((call) => [
      aBlock(`mystery ${call.ticket} ${call.turn}`, 400, { layer: "mystery" }),
      ...good(call).slice(2),
    ]);
    expect(causesOf(analysis)[0]).toEqual(["mystery", "changes_often", "T3"]);
    expect(analysis.causes[0]?.sentence).toContain("opt in to texts");
  });
});

it("the analysis knows OpenAI's automatic cache, which needs no markers", () => {
  const openAi = cacheRulesOf("openai", "gpt-5");
  if (openAi === undefined) throw new Error("the rules of OpenAI are known");
  const billed = (layout: "shipped" | "static first") => {
    const calls = busy.map((call) => ({ at: call.atMs, ttftMs: 4000, blocks: layOut(call, layout), call }));
    const measured: NonNullable<PrefixSample["measured"]>[] = [];
    replayCache(
      prepareTrace(calls),
      { markersOf: () => [], rules: openAi },
      {
        onRequest: (index, { read, write, uncached }) =>
          (measured[index] = { uncached, read, write5m: 0, write30m: write["30m"], write1h: 0, write12h: 0, output: 1 }),
      },
    );
    return calls.map(({ at, blocks, call }, index) => {
      const own = measured[index];
      return aPrefixSample({
        id: `s${index}`,
        at,
        ttftMs: 4000,
        blocks,
        ticketId: `T-${call.ticket}`,
        ...(own === undefined ? {} : { measured: own }),
      });
    });
  };
  const openAiPrices = { input: 1_250_000, read: 125_000, write: { "30m": 1_250_000 } };
  const reply = analyse(billed("shipped"), { rules: openAi, prices: openAiPrices });
  if (reply.kind !== "analysed") throw new Error(reply.sentence);
  const { analysis } = reply;
  expect(causesOf(analysis).map(([unit]) => unit)).toEqual(["tools", "clock", "ticket"]);
  expect(analysis.markers).toEqual([]);
  expect(analysis.predictedHit).toBeGreaterThan(0.9);
  const good = analyse(billed("static first"), { rules: openAi, prices: openAiPrices });
  expect(good).toMatchObject({ analysis: { calibration: { verdict: "calibrated" }, blocked: "nothing_to_gain" } });
});

it("the analysis shows what differs where the application has opted in to texts", () => {
  const samples = sampleWorkload(busy, "shipped", "last block").map((sample): PrefixSample => {
    const clock = sample.blocks.findIndex(({ layer }) => layer === "clock");
    return { ...sample, texts: [{ block: clock, text: `The time in Zürich is ${Math.trunc(sample.at / 1000)} s. Go on.` }] };
  });
  const clock = analysed(samples).causes.find(({ unit }) => unit === "clock");
  expect(clock?.evidence.example?.[0]).toMatch(/^The time in Zürich is \d+ s\. Go on\.$/);
  expect(clock?.evidence.example?.[1]).not.toBe(clock?.evidence.example?.[0]);
});

/** Billed as if everything had been read, which the rules forbid for this prefix. */
function wrongly(sample: PrefixSample): PrefixSample {
  const { measured } = sample;
  if (measured === undefined) return sample;
  const { uncached, read, write5m } = measured;
  return { ...sample, measured: { ...measured, uncached: 0, write5m: 0, read: uncached + read + write5m } };
}

describe("the analysis says what is missing", () => {
  const samples = sampleWorkload(busy, "shipped", "last block");

  it("when there are too few samples, and takes fewer over a day", () => {
    expect(analyse(samples.slice(0, 199))).toMatchObject({ kind: "missing", reason: "too_few_samples" });
    const overADay = samples.slice(0, 30).map((sample, index) => ({ ...sample, at: index * 3_600_000 }));
    expect(analyse(overADay)).toMatchObject({ kind: "analysed" });
    expect(analyse(samples.slice(0, 30))).toMatchObject({ reason: "too_few_samples" });
    expect(analyse([])).toMatchObject({ reason: "too_few_samples" });
  });

  it("when usage contradicts itself or the blocks", () => {
    const odd = samples.map((sample, index) => {
      if (index % 5 !== 0) return sample;
      const { measured: _measured, ...rest } = sample;
      return index % 2 === 0 ? rest : { ...sample, blocks: sample.blocks.map((block) => ({ ...block, tokens: block.tokens * 9 })) };
    });
    expect(analyse(odd)).toMatchObject({ kind: "missing", reason: "contradictory_usage" });
  });

  it("when neither rules nor prices are known", () => {
    expect(analyse(samples, { rules: undefined })).toMatchObject({ reason: "unknown_rules" });
    expect(analyse(samples, { prices: undefined })).toMatchObject({ reason: "unpriced" });
    expect(cacheRulesOf("cohere", "command-r")).toBeUndefined();
  });

  it("when the prompt was not rendered from layers: the cause is named and nothing is drafted", () => {
    const bare = samples.map((sample) => ({ ...sample, blocks: sample.blocks.map(({ layer: _layer, ...block }) => block) }));
    const analysis = analysed(bare);
    expect(analysis.blocked).toBe("no_layers");
    expect(causesOf(analysis)).toContainEqual(["system block 1", "volatile_span", "T2"]);
  });

  it("when the replay does not tell what was measured", () => {
    const good = sampleWorkload(busy, "static first", { layers: "5m" });
    const flaky = sampleWorkload(busy, "static first", { layers: "5m" }, { reliability: 0.4 });
    expect(analysed(flaky)).toMatchObject({ blocked: "uncalibrated", calibration: { verdict: "refused" } });
    expect(analysed(flaky)).not.toHaveProperty("achievableHit");
    const broken = analysed(
      sampleWorkload(busy, "shipped", "last block").map((sample, index) => (index % 2 === 0 ? sample : wrongly(sample))),
    );
    expect(causesOf(broken).length).toBeGreaterThan(0);
    expect(broken).toMatchObject({ predictedHit: broken.measuredHit, lostPerDay: 0, markers: [] });
    for (const cause of broken.causes) expect(cause).toMatchObject({ hitAfter: broken.measuredHit, savedAfterMicroUsdPerDay: 0 });
    const unmarked = good.map((sample) => ({ ...sample, blocks: sample.blocks.map(({ mark: _mark, ...block }) => block) }));
    const reply = analysed(unmarked);
    expect(reply).toMatchObject({ blocked: "uncalibrated", calibration: { verdict: "refused" } });
    expect(reply.calibration.sentence).toContain("report the markers");
  });

  it("and fits how often a cache that is best effort does read", () => {
    const flaky = analysed(sampleWorkload(busy, "static first", { layers: "5m" }, { reliability: 0.8 }));
    expect(flaky.calibration.verdict).toBe("calibrated");
    expect(Math.abs(flaky.calibration.reliability - 0.8)).toBeLessThan(0.05);
    expect(flaky.calibration.errorPoints).toBeLessThan(5);
  });
});
