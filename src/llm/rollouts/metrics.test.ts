import { expect, it } from "@jest/globals";
import { aRollout, aRolloutSubject } from "../../../test/builders/a-rollout.ts";
import { ticketsBetween } from "../../../test/contracts/describe-rollout-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { dayMs } from "../../core/duration.ts";
import { createExposition } from "../../platform/telemetry/exposition.ts";
import { createMemoryRollouts } from "../../rehearsal/memory-rollouts.ts";
import { declareUsageMetrics } from "../usage/metrics.ts";
import { declareRolloutMetrics, observeRollouts } from "./metrics.ts";

function aScrape() {
  const clock = createFakeClock();
  const store = createMemoryRollouts(clock);
  const exposition = createExposition({ clock });
  const metrics = { ...exposition, ...declareUsageMetrics(exposition.registry), ...declareRolloutMetrics(exposition.registry) };
  observeRollouts(metrics, store, clock);
  const shown = async (name: string) => (await metrics.metrics()).split("\n").filter((line) => line.startsWith(`${name}{`));
  return { clock, store, shown };
}

const r1 = 'rollout="r1",route="implement"';

it("shows a rollout from its plan on, at zero, and what is not known not at all", async () => {
  const { store, shown } = aScrape();
  expect(await shown("llm_rollout_step_ratio")).toEqual([]);
  await store.create(aRollout());
  expect(await shown("llm_rollout_decision")).toEqual([
    `llm_rollout_decision{${r1},decision="advance"} 1`,
    ...["stay", "hold", "roll_back", "finish", "ask"].map((decision) => `llm_rollout_decision{${r1},decision="${decision}"} 0`),
  ]);
  expect(await shown("llm_rollout_step_ratio")).toEqual([`llm_rollout_step_ratio{${r1}} 0`]);
  expect(await shown("llm_rollout_srm_p_value")).toEqual([`llm_rollout_srm_p_value{${r1}} 1`]);
  expect(await shown("llm_rollout_misassigned_total")).toEqual([`llm_rollout_misassigned_total{${r1}} 0`]);
  expect(await shown("llm_rollout_tickets")).toEqual(
    ["canary", "baseline"].flatMap((arm) =>
      ["open", "succeeded", "failed", "overdue", "cancelled"].map((state) => `llm_rollout_tickets{${r1},arm="${arm}",state="${state}"} 0`),
    ),
  );
  expect(await shown("llm_rollout_effect")).toEqual([
    `llm_rollout_effect{${r1},metric="quality",bound="limit"} -0.1`,
    `llm_rollout_effect{${r1},metric="cost",bound="limit"} 1.1`,
  ]);
});

it("shows a canary that is proven worse while its rollout is live, and after its end only what it counted", async () => {
  const { clock, store, shown } = aScrape();
  await store.create(aRollout());
  await store.change({ id: "r1", expected: 1, set: { state: "running", step: 1 } });
  const [canaries, baselines] = [ticketsBetween(0, 0.5, 60), ticketsBetween(0.5, 1, 60)];
  for (const [nth, ticket] of [...canaries, ...baselines].entries()) {
    store.expose(ticket, [{ rollout: "r1", arm: nth < 60 ? "canary" : "baseline" }]);
    store.spend(ticket, 1000);
    store.end(ticket, nth < 50 || nth === 119 ? "failed" : "succeeded");
  }
  store.expose("late", [{ rollout: "r1", arm: "canary", share: 0.25 }]);
  const live = await shown("llm_rollout_decision");
  expect(live.filter((line) => line.endsWith(" 1"))).toEqual([`llm_rollout_decision{${r1},decision="roll_back"} 1`]);
  expect(await shown("llm_rollout_step_ratio")).toEqual([`llm_rollout_step_ratio{${r1}} 0.5`]);
  const tickets = async () => (await shown("llm_rollout_tickets")).filter((line) => !line.endsWith(" 0"));
  const counted = [
    `llm_rollout_tickets{${r1},arm="canary",state="succeeded"} 10`,
    `llm_rollout_tickets{${r1},arm="canary",state="failed"} 50`,
    `llm_rollout_tickets{${r1},arm="baseline",state="succeeded"} 59`,
    `llm_rollout_tickets{${r1},arm="baseline",state="failed"} 1`,
  ];
  expect(await tickets()).toEqual(counted);
  expect(await shown("llm_rollout_misassigned_total")).toEqual([`llm_rollout_misassigned_total{${r1}} 1`]);
  const effect = new Map(
    (await shown("llm_rollout_effect")).map((line) => [
      /metric="(\w+)",bound="(\w+)"/.exec(line)?.slice(1).join(" "),
      Number(line.split(" ")[1]),
    ]),
  );
  expect(effect.get("quality estimate")).toBeCloseTo(-49 / 60, 9);
  expect(effect.get("quality upper")).toBeLessThan(0);
  expect(effect.get("cost estimate")).toBeCloseTo(5.9, 9);
  expect(effect.get("cost lower")).toBeLessThan(5.8);

  await store.change({ id: "r1", expected: 2, set: { state: "rolled_back" } });
  expect([await shown("llm_rollout_decision"), await shown("llm_rollout_srm_p_value")]).toEqual([[], []]);
  expect(await shown("llm_rollout_step_ratio")).toEqual([`llm_rollout_step_ratio{${r1}} 0`]);
  expect(await tickets()).toEqual(counted);
  await clock.advance(dayMs);
  expect(await tickets()).toEqual([]);
});

it("shows a split that is broken, until a person accepts it", async () => {
  const { store, shown } = aScrape();
  await store.create(aRollout());
  await store.change({ id: "r1", expected: 1, set: { state: "running", step: 1 } });
  for (const ticket of ticketsBetween(0.5, 1, 80)) store.expose(ticket, [{ rollout: "r1", arm: "baseline" }]);
  const pValue = async () => Number((await shown("llm_rollout_srm_p_value"))[0]?.split(" ")[1]);
  expect(await pValue()).toBeLessThan(0.001);
  await store.change({ id: "r1", expected: 2, set: { accepted: { logEvalue: 100, misassigned: 0 } } });
  expect(await pValue()).toBe(1);
});

it("has no route for a rollout of something else, and at most twenty rollouts", async () => {
  const { store, shown } = aScrape();
  await store.create(aRollout({ id: "p1", subject: { kind: "prompt", prompt: "implement", from: 1, to: 2 } }));
  expect(await shown("llm_rollout_step_ratio")).toEqual(['llm_rollout_step_ratio{rollout="p1",route=""} 0']);
  for (let nth = 0; nth < 25; nth += 1) {
    await store.create(aRollout({ id: `r${nth}`, subject: aRolloutSubject("review") }));
    await store.change({ id: `r${nth}`, expected: 1, set: { state: "aborted" } });
  }
  expect(await shown("llm_rollout_step_ratio")).toHaveLength(20);
});
