import { expect, it } from "@jest/globals";
import { aDefinition } from "../../../test/contracts/describe-flag-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createExposition } from "../../platform/telemetry/exposition.ts";
import { createMemoryFlags } from "../../rehearsal/memory-flags.ts";
import { createMemoryFollowers } from "../../rehearsal/memory-followers.ts";
import { declareUsageMetrics } from "../usage/metrics.ts";
import { countEvaluation, declareFlagMetrics, observeFlags } from "./metrics.ts";

async function aScrape() {
  const exposition = createExposition();
  const metrics = { ...exposition, ...declareUsageMetrics(exposition.registry), ...declareFlagMetrics(exposition.registry) };
  const clock = createFakeClock();
  const [flags, followers] = [createMemoryFlags(clock), createMemoryFollowers(clock)];
  observeFlags(metrics, { flags, followers });
  const shown = async (name: string) => (await metrics.metrics()).split("\n").filter((line) => line.startsWith(`${name}{`));
  const set = async (key: string, expected = 0, change = {}) =>
    flags.set({ key, expected, definition: aDefinition(change), by: "anna", reason: "x" });
  return { metrics, followers, shown, set };
}

it("shows the followers of every flag from zero on, and how many of them hold its newest version", async () => {
  const { followers, shown, set } = await aScrape();
  await set("export");
  expect(await shown("llm_flag_followers")).toEqual([
    'llm_flag_followers{flag="export",state="current"} 0',
    'llm_flag_followers{flag="export",state="stale"} 0',
  ]);
  await set("export", 1, { state: "off" });
  for (const [instance, tag] of [
    ["one", "2"],
    ["two", "2"],
    ["three", "1"],
    ["four", undefined],
  ] as const)
    await followers.record({ document: "flag/export", instance, tag });
  expect(await shown("llm_flag_followers")).toEqual([
    'llm_flag_followers{flag="export",state="current"} 2',
    'llm_flag_followers{flag="export",state="stale"} 2',
  ]);
});

it("counts values by variant from zero on, and caps both labels", async () => {
  const { metrics, shown, set } = await aScrape();
  await set("export");
  expect(await shown("llm_flag_evaluations_total")).toEqual([
    'llm_flag_evaluations_total{flag="export",variant="on"} 0',
    'llm_flag_evaluations_total{flag="export",variant="off"} 0',
  ]);
  countEvaluation(metrics, "export", "on");
  for (let nth = 0; nth < 200; nth += 1) countEvaluation(metrics, `flag-${nth}`, `variant-${nth}`);
  const lines = await shown("llm_flag_evaluations_total");
  expect(lines).toContain('llm_flag_evaluations_total{flag="export",variant="on"} 1');
  expect(lines.length).toBeLessThan(60);
  expect(lines.some((line) => line.includes('flag="other"'))).toBe(true);
});
