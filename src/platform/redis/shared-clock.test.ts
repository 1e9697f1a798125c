import { expect, it } from "@jest/globals";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createSharedClock } from "./shared-clock.ts";

const hour = 3_600_000;

it("tells Redis's time and not the host's", async () => {
  const host = createFakeClock(10 * hour);
  const clock = createSharedClock(host, async () => 5 * hour);
  expect(clock.now()).toBe(10 * hour);
  await clock.sync();
  expect(clock.now()).toBe(5 * hour);
  await host.advance(1000);
  expect(clock.now()).toBe(5 * hour + 1000);
});

it("does not notice a jump of the host's clock", async () => {
  const host = createFakeClock(10 * hour);
  const clock = createSharedClock(host, async () => 5 * hour);
  await clock.sync();
  host.jumpTo(11 * hour);
  expect(clock.now()).toBe(5 * hour);
});

it("goes on from the last reading while Redis does not answer, and learns from a slow answer only that it is wrong", async () => {
  const host = createFakeClock(10 * hour);
  let read = async (): Promise<number> => 5 * hour;
  const clock = createSharedClock(host, async () => read());
  await clock.sync();
  read = async () => Promise.reject(new Error("gone"));
  await host.advance(1000);
  await clock.sync();
  expect(clock.now()).toBe(5 * hour + 1000);
  let [slowly, answer] = [2000, 5 * hour + 1100];
  read = async () => {
    await host.advance(slowly);
    return answer;
  };
  await clock.sync();
  expect(clock.now()).toBe(5 * hour + 3000);
  // Taken somewhere in the two seconds, and by no means an hour ago: the clock was set.
  answer = 4 * hour;
  await clock.sync();
  expect(clock.now()).toBe(4 * hour + 1000);
  [slowly, answer] = [0, 4 * hour + 1500];
  await clock.sync();
  expect(clock.now()).toBe(4 * hour + 1500);
});
