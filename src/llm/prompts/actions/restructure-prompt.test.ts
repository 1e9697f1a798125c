import { describe, expect, it } from "@jest/globals";
import type { CacheTransform } from "../../../../packages/sdk/src/wire/caches.ts";
import type { PrefixBlock } from "../../../../packages/sdk/src/wire/prefix.ts";
import { type LayoutBreakpoint, type PromptLayout, promptLayoutSchema } from "../../../../packages/sdk/src/wire/prompt-layout.ts";
import { aBlock, aPrefixSample } from "../../../../test/builders/a-prefix-sample.ts";
import {
  busyWorkload,
  createWorkload,
  layOut,
  quietWorkload,
  sampleWorkload,
  type WorkloadCall,
} from "../../../../test/builders/cache-workload.ts";
import type { PrefixSample } from "../../../core/prefix-sample.ts";
import { analyzeCacheAtOnce } from "../../caching/analyze-prompt-cache.ts";
import { cacheRulesOf } from "../../caching/cache-rules.ts";
import { judgeLayoutChange } from "../judge-layout-change.ts";
import { restructurePrompt } from "../restructure-layout.ts";
import { adviceOf } from "./restructure-prompt.ts";

const rules = cacheRulesOf("anthropic", "claude-sonnet-4-5");
const prices = { input: 3_000_000, read: 300_000, write: { "5m": 3_750_000, "1h": 6_000_000 } };
const busy = createWorkload(busyWorkload).slice(-600);

/** A layout of the layers that a workload's blocks name, in their order. */
function aLayout(keys: readonly string[], breakpoints: readonly LayoutBreakpoint[]): PromptLayout {
  const renders: Readonly<Record<string, string>> = {
    tools: "{{tools}}",
    clock: "Current time: {{clock}}",
    system: "You fix tickets.",
    history: "",
  };
  return promptLayoutSchema.parse({
    layers: keys.map((key) => ({
      key,
      role: key === "tools" ? "tools" : key === "task" || keys.indexOf(key) >= keys.indexOf("history") ? "user" : "system",
      stability: "static",
      render: renders[key] ?? `{{${key.replaceAll("-", "_")}}}`,
    })),
    breakpoints,
  });
}

/** What becomes of a layout whose requests were these: from the samples to the verdict of the gate. */
function follow(samples: readonly PrefixSample[], layout: PromptLayout) {
  const reply = analyzeCacheAtOnce({ samples, rules, prices });
  if (reply.kind !== "analysed") throw new Error(reply.sentence);
  const { units, transforms } = reply.analysis;
  const drafted = restructurePrompt(layout, adviceOf(reply.analysis));
  if (!drafted.ok) throw new Error(drafted.faults.join("; "));
  const sizes = new Map(units.map(({ unit, tokens }) => [unit, tokens]));
  return { transforms, drafted, verdict: judgeLayoutChange(layout, drafted.layout, (key) => sizes.get(key)) };
}

const good = (call: WorkloadCall) => layOut(call, "static first").slice(0, -1);
const goodKeys = ["tools", "system", "conventions", "guide", "ticket", "history"];
const marks: readonly LayoutBreakpoint[] = [
  { afterLayer: "conventions", ttl: "1h" },
  { afterLayer: "guide", ttl: "1h" },
  { afterLayer: "history", ttl: "5m" },
];
const clockOf = (call: WorkloadCall): PrefixBlock =>
  aBlock(`clock ${call.atMs}`, 30, { layer: "clock", masked: aBlock("clock <time>", 30).hash, spans: ["time"], spanTokens: 20 });
const options = ["option-0", "option-1", "option-2", "option-3", "option-4", "option-5", "option-6"];

function withOptions(call: WorkloadCall): readonly PrefixBlock[] {
  const [tool, other, ...rest] = good(call);
  const present = options.filter((_, bit) => ((Math.imul(call.ticket, 2654435761) >>> (20 + bit)) & 1) === 1);
  return [tool, other, ...present.map((key) => aBlock(key, 300, { layer: key })), ...rest].filter((block) => block !== undefined);
}

const belowMinimum = Array.from({ length: 250 }, (_, index) =>
  aPrefixSample({
    id: `s${index}`,
    at: index * 20_000,
    ticketId: `T-${index}`,
    blocks: [aBlock("short guide", 600, { layer: "guide", mark: "5m" }), aBlock(`task ${index}`, 300, { role: "user", layer: "task" })],
    measured: { uncached: 900, read: 0, write5m: 0, write30m: 0, write1h: 0, write12h: 0, output: 10 },
  }),
);

const cases: readonly (readonly [CacheTransform, readonly PrefixSample[], PromptLayout, readonly RegExp[]])[] = [
  [
    "T1",
    sampleWorkload(
      busy,
      (call) => (call.turn % 2 === 0 ? good(call) : [...good(call).slice(0, 2).toReversed(), ...good(call).slice(2)]),
      "last block",
    ),
    aLayout(goodKeys, marks),
    [/^canonical form for tools/],
  ],
  [
    "T2",
    sampleWorkload(busy, (call) => [...good(call).slice(0, 2), clockOf(call), ...good(call).slice(2)], "last block"),
    aLayout(["tools", "clock", ...goodKeys.slice(1)], [{ afterLayer: "history", ttl: "5m" }]),
    [/^"Current time: {{clock}}" moves from clock to runtime_context/],
  ],
  [
    "T3",
    sampleWorkload(busy, (call) => layOut(call, "clock last").slice(0, -1), "last block"),
    aLayout(["tools", "system", "ticket", "conventions", "guide", "history"], [{ afterLayer: "history", ttl: "5m" }]),
    [/^order: tools, system, conventions, guide, ticket, history/],
  ],
  [
    "T4",
    sampleWorkload(busy, withOptions, "last block"),
    aLayout(["tools", ...options, ...goodKeys.slice(1)], marks),
    [/^order: tools, .*system.*option-/],
  ],
  [
    "T6",
    sampleWorkload(createWorkload(quietWorkload), good, { layers: "5m" }),
    aLayout(
      goodKeys,
      marks.map((mark) => ({ ...mark, ttl: "5m" })),
    ),
    [/^markers behind conventions \(1h\)/],
  ],
  ["T7", belowMinimum, aLayout(["guide", "task"], [{ afterLayer: "guide", ttl: "5m" }]), [/^markers behind none; before: guide \(5m\)/]],
  [
    "markers",
    sampleWorkload(busy, (call) => layOut(call, "static first"), "last block"),
    aLayout([...goodKeys, "clock"], [{ afterLayer: "clock", ttl: "5m" }]),
    [/^markers behind .*history \(5m\); before: clock \(5m\)/],
  ],
];

const churned = sampleWorkload(busy, good, { layers: "1h" }).map((sample, index) => ({
  ...sample,
  parameters: index % 2 === 0 ? "0123456789abcdef" : "fedcba9876543210",
}));

describe("each transform is proposed from requests that need it, drafted, and proven neutral by the gate", () => {
  it.each(cases)("%s", (transform, samples, layout, changes) => {
    const { transforms, drafted, verdict } = follow(samples, layout);
    expect(transforms).toContain(transform);
    expect(verdict.faults).toEqual([]);
    for (const change of changes) expect(drafted.changes).toContainEqual(expect.stringMatching(change));
    // Where nothing but markers changes, nothing moves and nobody is asked.
    const isMarkersOnly = ["T6", "T7", "markers"].includes(transform);
    expect(verdict).toMatchObject(isMarkersOnly ? { approval: "auto", movedShare: 0, addedShare: 0 } : {});
  });

  it("T5 is the application's: it is told, and no layout is drafted for it", () => {
    const reply = analyzeCacheAtOnce({ samples: churned, rules, prices });
    expect(reply).toMatchObject({
      kind: "analysed",
      analysis: { blocked: "not_the_layout", causes: expect.arrayContaining([expect.objectContaining({ transform: "T5", risk: "none" })]) },
    });
  });
});
