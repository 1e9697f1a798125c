import { expect, it } from "@jest/globals";
import { attackedFeature } from "../../../test/builders/an-attack.ts";
import { anAttackReplay } from "../../../test/contracts/describe-attack-replays.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createExposition } from "../../platform/telemetry/exposition.ts";
import { createMemoryAttackReplays } from "../../rehearsal/memory-attack-replays.ts";
import { declareUsageMetrics } from "../usage/metrics.ts";
import { declareAttackMetrics, observeAttackReplays } from "./metrics.ts";

it("shows the last scheduled replay of every feature that has attacks, and that there was none yet", async () => {
  const exposition = createExposition();
  const metrics = { ...exposition, ...declareUsageMetrics(exposition.registry), ...declareAttackMetrics(exposition.registry) };
  const replays = createMemoryAttackReplays(createFakeClock());
  const { attacks: _attacks, ...plain } = attackedFeature;
  observeAttackReplays(metrics, replays, [attackedFeature, { ...attackedFeature, name: "search" }, { ...plain, name: "plain" }]);
  const scrape = async () => (await metrics.metrics()).split("\n").filter((line) => line.startsWith("llm_attack_replay"));
  expect(await scrape()).toEqual([
    'llm_attack_replay_timestamp_seconds{feature="export"} 0',
    'llm_attack_replay_timestamp_seconds{feature="search"} 0',
  ]);
  await replays.put(anAttackReplay({ at: 7000 }, { hits: 3 }));
  await replays.put(anAttackReplay({ id: "replay-2", feature: "gone" }, { hits: 3 }));
  await replays.put(anAttackReplay({ id: "replay-3", feature: "search", begunBy: "run" }, { hits: 3 }));
  expect(await scrape()).toEqual([
    'llm_attack_replay_hits{feature="export"} 3',
    'llm_attack_replay_timestamp_seconds{feature="export"} 7',
    'llm_attack_replay_timestamp_seconds{feature="search"} 0',
  ]);
});
