import { expect, it } from "@jest/globals";
import { createVirtualClock } from "./virtual-clock.ts";

it("passes only while somebody waits, and lets happen what was planned on the way", async () => {
  const clock = createVirtualClock(1000);
  const seen: string[] = [];
  clock.plan(3000, () => seen.push(`late ${clock.now()}`));
  clock.plan(1500, () => {
    seen.push(`early ${clock.now()}`);
    clock.plan(1600, () => seen.push(`between ${clock.now()}`));
  });
  expect(clock.now()).toBe(1000);
  await clock.sleep(1000);
  expect([clock.now(), clock.monotonic()]).toEqual([2000, 1000]);
  expect(seen).toEqual(["early 1500", "between 1600"]);
  clock.moveTo(1700);
  expect(clock.now()).toBe(2000);
});

it("wakes a sleeper whose signal is aborted by what happens meanwhile", async () => {
  const clock = createVirtualClock(0);
  const controller = new AbortController();
  clock.plan(50, () => controller.abort(new Error("stop")));
  await expect(clock.sleep(100, controller.signal)).rejects.toThrow("stop");
});

it("runs the timers that a sleep passes", async () => {
  const clock = createVirtualClock(0);
  const seen: number[] = [];
  const beat = clock.every(1000, () => {
    seen.push(clock.now());
    if (seen.length === 4) beat.stop();
  });
  clock.after(2500, () => seen.push(clock.now()));
  await expect(clock.sleep(10_000, clock.timeout(9000))).rejects.toMatchObject({ name: "TimeoutError" });
  expect(seen).toEqual([1000, 2000, 2500, 3000]);
});
