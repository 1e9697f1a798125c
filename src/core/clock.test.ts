import { afterEach, expect, it } from "@jest/globals";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createSystemClock, type Timer, within, yieldToEventLoop } from "./clock.ts";

const clock = createSystemClock();
const timers: Timer[] = [];
afterEach(() => {
  for (const timer of timers.splice(0)) timer.stop();
});

it("calls once after, again and again every, and no more when it is stopped", async () => {
  const calls: string[] = [];
  timers.push(
    clock.after(5, () => calls.push("once")),
    clock.after(1, () => calls.push("stopped")),
    clock.every(2, () => calls.push("again")),
  );
  timers[1]?.stop();
  while (calls.filter((call) => call === "again").length < 3 || !calls.includes("once")) await clock.sleep(1);
  timers[2]?.stop();
  const before = calls.length;
  await clock.sleep(10);
  expect(calls).toHaveLength(before);
  expect(calls.filter((call) => call !== "again")).toEqual(["once"]);
});

it("aborts a timeout with an error of that name", async () => {
  const signal = clock.timeout(1);
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  expect(signal.reason).toMatchObject({ name: "TimeoutError" });
});

it("yields to what is ready already", async () => {
  const order: string[] = [];
  setImmediate(() => order.push("request"));
  await yieldToEventLoop();
  order.push("calculation");
  expect(order).toEqual(["request", "calculation"]);
});

it("hands on a value or an error in time and rejects what takes longer", async () => {
  const fake = createFakeClock();
  expect(await within(fake, 100, Promise.resolve(7))).toBe(7);
  await expect(within(fake, 100, Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(fake.sleeping()).toBe(0);
  const late = within(fake, 100, new Promise(() => undefined));
  await fake.advance(99);
  expect(fake.sleeping()).toBe(1);
  const [error] = await Promise.all([late.catch((thrown: unknown) => thrown), fake.advance(1)]);
  expect(error).toMatchObject({ name: "TimeoutError", message: "took longer than 100 ms" });
});
