import { expect, it } from "@jest/globals";
import type { Freeze } from "../../../packages/sdk/src/wire/freezes.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createFreezeWatch } from "./freeze-watch.ts";

const aFreeze = (scope: string): Freeze => ({ scope, by: "ann", reason: "enough", at: 0, undo: false });
const ofTarget = (target: string) => ({ scopes: ["all", `target:${target}`], undo: false });

function aWatch() {
  const clock = createFakeClock();
  const standing: Freeze[] = [];
  let [readings, isAway] = [0, false];
  const watch = createFreezeWatch(clock, {
    async freezes() {
      readings += 1;
      if (isAway) throw new Error("Redis is away.");
      return standing;
    },
  });
  return { clock, standing, watch, readings: () => readings, setAway: (away: boolean) => void (isAway = away) };
}

it("aborts each effect that a freeze covers, and no other, within a second", async () => {
  const { clock, standing, watch } = aWatch();
  const effects = ["a", "b", "a"].map((target) => watch(ofTarget(target)));
  standing.push(aFreeze("target:a"));
  await clock.advance(1000);
  expect(effects.map(({ signal }) => signal.aborted)).toEqual([true, false, true]);
  expect(effects[0]?.signal.reason).toMatchObject({ message: "Frozen (target:a) by ann: enough" });
  standing.push(aFreeze("all"));
  const signal = effects[1]?.signal;
  await clock.advance(1000);
  expect(signal?.aborted).toBe(true);
});

it("reads once a second however many effects are under way, and not at all when none is", async () => {
  const { clock, watch, readings } = aWatch();
  const effects = Array.from({ length: 50 }, () => watch(ofTarget("a")));
  await clock.advance(3000);
  expect(readings()).toBe(3);
  for (const effect of effects) effect[Symbol.dispose]();
  await clock.advance(5000);
  expect(readings()).toBe(3);
  watch(ofTarget("b"));
  await clock.advance(1000);
  expect(readings()).toBe(4);
});

it("repeats a reading that failed, and watches nothing for an effect that no freeze stops", async () => {
  const { clock, standing, watch, readings, setAway } = aWatch();
  watch(undefined);
  await clock.advance(2000);
  expect(readings()).toBe(0);
  const { signal } = watch(ofTarget("a"));
  standing.push(aFreeze("all"));
  setAway(true);
  await clock.advance(1000);
  expect(signal.aborted).toBe(false);
  setAway(false);
  await clock.advance(1000);
  expect(signal.aborted).toBe(true);
});
