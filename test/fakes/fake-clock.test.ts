import { expect, it } from "@jest/globals";
import { createFakeClock } from "./fake-clock.ts";

it("wakes sleepers in the order of their instants and shows each its own time", async () => {
  const clock = createFakeClock(1000);
  const woken: [string, number][] = [];
  const sleeper = async (name: string, ms: number) => {
    await clock.sleep(ms);
    woken.push([name, clock.now()]);
  };
  void sleeper("late", 50);
  void sleeper("early", 10);
  void sleeper("early too", 10);
  await clock.advance(49);
  expect(woken).toEqual([
    ["early", 1010],
    ["early too", 1010],
  ]);
  await clock.advance(1);
  expect(woken.at(-1)).toEqual(["late", 1050]);
  expect(clock.sleeping()).toBe(0);
});

it("lets a loop sleep many times within one span", async () => {
  const clock = createFakeClock();
  let turns = 0;
  void (async () => {
    while (turns < 100) {
      await clock.sleep(10);
      turns += 1;
    }
  })();
  await clock.advance(55);
  expect(turns).toBe(5);
});

it("rejects an aborted sleep with the signal's reason and forgets it", async () => {
  const clock = createFakeClock();
  const abort = new AbortController();
  const sleep = clock.sleep(10, abort.signal);
  abort.abort(new Error("enough"));
  await expect(sleep).rejects.toThrow("enough");
  await expect(clock.sleep(10, abort.signal)).rejects.toThrow("enough");
  expect(clock.sleeping()).toBe(0);
});

it("jumps wall time without moving sleeps or the monotonic clock", async () => {
  const clock = createFakeClock(0);
  let woke = false;
  void clock.sleep(100).then(() => {
    woke = true;
    return undefined;
  });
  clock.jumpTo(1_000_000);
  expect([clock.now(), clock.monotonic()]).toEqual([1_000_000, 0]);
  await clock.advance(99);
  expect(woke).toBe(false);
  await clock.advance(1);
  expect(woke).toBe(true);
});

it("runs timers between sleeps, in the order of their instants", async () => {
  const clock = createFakeClock(0);
  const seen: string[] = [];
  const see = (what: string) => () => void seen.push(`${what} ${clock.now()}`);
  const beat = clock.every(10, see("beat"));
  clock.after(25, see("once"));
  clock.after(26, see("never")).stop();
  void clock.sleep(20).then(see("slept"));
  const signal = clock.timeout(15);
  signal.addEventListener("abort", see("timeout"));
  await clock.advance(29);
  beat.stop();
  await clock.advance(100);
  expect(seen).toEqual(["beat 10", "timeout 15", "slept 20", "beat 20", "once 25"]);
  expect(signal.reason).toMatchObject({ name: "TimeoutError" });
});
