import { expect, it } from "@jest/globals";
import type { CacheAnalysis } from "../../../packages/sdk/src/wire/caches.ts";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { aCacheState } from "../../../test/contracts/describe-cache-analysis-store.ts";
import { runCli } from "../run-cli.ts";

const calibration: CacheAnalysis["calibration"] = {
  verdict: "calibrated",
  sentence: "The replay tells the measured hit ratio within 1 percentage points.",
  measuredHit: 0.012,
  predictedHit: 0.02,
  reliability: 1,
  errorPoints: 0.8,
};
const cause = { risk: "low", evidence: {}, savedAfterMicroUsdPerDay: 90_000_000 } as const;
const analysis: CacheAnalysis = {
  requests: 340,
  contradictory: 2,
  spanMs: 3_600_000,
  costPerDay: 130_000_000,
  predictedCostPerDay: 10_000_000,
  transforms: ["T2", "T3"],
  markers: [],
  units: [],
  promptTokens: 9000,
  measuredHit: 0.012,
  achievableHit: 0.955,
  predictedHit: 0.951,
  lostPerDay: 120_000_000,
  calibration,
  blocked: "no_layers",
  causes: [
    {
      ...cause,
      unit: "system block 1",
      class: "volatile_span",
      transform: "T2",
      hitAfter: 0.89,
      sentence: "A time in system block 1 changes.",
      evidence: { example: ["Now: 06:00", "Now: 06:01"] },
    },
    { ...cause, unit: "ticket", class: "scope_order", transform: "T3", hitAfter: 0.951, sentence: "ticket stands\u001b[31m too early." },
  ],
};
const versions = [
  { version: "3", requests: 300, hit: 0.012 },
  { version: "4", requests: 40, hit: 0.93 },
];
const misses = [{ reason: "system_changed", requests: 210, missedTokens: 9 }] as const;
const items = [{ ...aCacheState({ versions, misses }), reply: { kind: "analysed", analysis } }, aCacheState({ prompt: "review" })];
const answers = { "GET /api/prompt-caches": { status: 200, body: { items, unsampled: [] } } };

it("shows a row for each cause, what each is, and why nothing is changed", async () => {
  const context = aCommandContext({ answers });
  expect(await runCli(["prompts"], context, "1")).toBe(0);
  const lines = context.printed.out.split("\n").map((line) => line.trimEnd());
  expect(lines[0]).toBe(
    "PROMPT     MODEL              HIT    ACHIEVABLE  LOST/DAY  CAUSE                            FIX  PREDICTED  SAVES/DAY",
  );
  expect(lines[1]).toBe(
    "implement  claude-sonnet-4-5  1.2 %  95.5 %      $120.00   volatile span in system block 1  T2   89.0 %     $90.00",
  );
  expect(lines[2]).toMatch(/^ +scope order in ticket +T3 +95\.1 % +\$90\.00$/);
  expect(context.printed.out).toContain(
    'implement on claude-sonnet-4-5, T2: A time in system block 1 changes. E.g. "Now: 06:00", then "Now: 06:01".\n',
  );
  expect(context.printed.out).toContain(
    "implement on claude-sonnet-4-5: by version: version 3 1.2 % of 300 requests, version 4 93.0 % of 40 requests.\n",
  );
  expect(context.printed.out).toContain("implement on claude-sonnet-4-5: misses by reason: system_changed 210 times.\n");
  expect(context.printed.out).toContain("2 samples contradict their own usage");
  expect(context.printed.out).toContain("Nothing is changed automatically, as the prompt is not rendered from layers.");
  expect(context.printed.out).toContain("review on claude-sonnet-4-5: There are 3 samples.\n");
  expect(context.printed.out).not.toContain("\u001b[31m");
});

it("tells no prediction of a replay that does not tell what was measured", async () => {
  const off = { ...calibration, verdict: "refused", sentence: "Only 33 % of the reads that the rules allow do happen." };
  const refused = { ...aCacheState(), reply: { kind: "analysed", analysis: { ...analysis, blocked: "uncalibrated", calibration: off } } };
  const context = aCommandContext({ answers: { "GET /api/prompt-caches": { status: 200, body: { items: [refused], unsampled: [] } } } });
  expect(await runCli(["prompts"], context, "1")).toBe(0);
  const [, row] = context.printed.out.split("\n");
  expect(row).toMatch(/\? +volatile span in system block 1 +T2 +\? +\?$/);
  expect(context.printed.out).toContain("Only 33 % of the reads");
});

it("names a prompt that is used and told no prefix, with what it reads", async () => {
  const unsampled = [{ prompt: "triage", provider: "anthropic", model: "m", requests: 260, hit: 0.1 }];
  const context = aCommandContext({ answers: { "GET /api/prompt-caches": { status: 200, body: { items: [], unsampled } } } });
  expect(await runCli(["prompts"], context, "1")).toBe(0);
  expect(context.printed.out).toMatch(
    /^triage on m: 10\.0 % of the input of 260 recent requests was read from the cache, and none told its prefix/,
  );
});

it("prints the analyses as they are", async () => {
  const context = aCommandContext({ answers });
  expect(await runCli(["prompts", "--json"], context, "1")).toBe(0);
  expect(JSON.parse(context.printed.out)).toEqual({ items, unsampled: [] });
});

it("says how to begin when nothing was analysed, and answers 1 without an answer", async () => {
  const empty = aCommandContext({ answers: { "GET /api/prompt-caches": { status: 200, body: { items: [], unsampled: [] } } } });
  expect(await runCli(["prompts"], empty, "1")).toBe(0);
  expect(empty.printed.out).toContain("Report the `prefix` with the usage");
  expect(await runCli(["prompts"], aCommandContext({ answers: {} }), "1")).toBe(1);
});
