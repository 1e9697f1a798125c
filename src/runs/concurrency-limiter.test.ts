import { expect, it } from "@jest/globals";
import { createConcurrencyLimiter } from "./concurrency-limiter.ts";

it("is settled when the last of what it holds has ended, however it ended", async () => {
  const hand = createConcurrencyLimiter(2);
  await hand.settled();
  const ends: (() => void)[] = [];
  const work = [1, 2].map(async () => hand.run(async () => new Promise<void>((resolve) => ends.push(resolve))));
  expect(hand.free()).toBe(0);
  let isSettled = false;
  const settled = hand.settled().then(() => (isSettled = true));
  ends[0]?.();
  await work[0];
  expect(isSettled).toBe(false);
  ends[1]?.();
  await settled;
  expect(hand.free()).toBe(2);
  await expect(hand.run(async () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  await hand.settled();
});
