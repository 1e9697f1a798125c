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

it("goes on from the last reading while Redis does not answer, and mistrusts a slow answer", async () => {
  const host = createFakeClock(10 * hour);
  let read = async (): Promise<number> => 5 * hour;
  const clock = createSharedClock(host, async () => read());
  await clock.sync();
  read = async () => Promise.reject(new Error("gone"));
  await host.advance(1000);
  await clock.sync();
  expect(clock.now()).toBe(5 * hour + 1000);
  read = async () => {
    await host.advance(2000);
    return 0;
  };
  await clock.sync();
  expect(clock.now()).toBe(5 * hour + 3000);
});
