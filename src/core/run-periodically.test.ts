import { describe, expect, it } from "@jest/globals";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createRecordedLog } from "../../test/fakes/recorded-log.ts";
import { type Periodic, runPeriodically, type Tick } from "./run-periodically.ts";

function aBench(tick: (tick: Tick, index: number) => Promise<number | void>, more: Partial<Periodic> = {}) {
  const clock = createFakeClock();
  const log = createRecordedLog();
  const ending = new AbortController();
  const ticks: { readonly at: number; readonly triggered: boolean }[] = [];
  const work = runPeriodically({ name: "test work", intervalMs: 1000, clock, log, signal: ending.signal, ...more }, async (one) => {
    ticks.push({ at: clock.monotonic(), triggered: one.triggered });
    return tick(one, ticks.length - 1);
  });
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) await clock.advance(100);
  };
  return { log, ending, ticks, work, pass, times: () => ticks.map(({ at }) => at) };
}

describe("periodic work", () => {
  it("ticks at once and after each interval, and ends by its signal", async () => {
    const { pass, times, ending, work } = aBench(async () => undefined);
    await pass(2500);
    expect(times()).toEqual([0, 1000, 2000]);
    ending.abort();
    await work.close();
    await pass(3000);
    expect(times()).toEqual([0, 1000, 2000]);
  });

  it("waits as long as a tick says, and multiplies its own interval by the jitter", async () => {
    const { pass, times, work } = aBench(async (_tick, index) => [0, 300][index], { jitter: () => 2 });
    await pass(2500);
    expect(times()).toEqual([0, 0, 300, 2300]);
    await work.close();
  });

  it("logs a tick that fails by the work's name, and repeats it at the next interval", async () => {
    const { pass, times, log, work } = aBench(async (_tick, index) => {
      if (index === 0) throw new Error("Redis is away");
    });
    await pass(1100);
    expect(times()).toEqual([0, 1000]);
    expect(log.lines).toMatchObject([{ level: "warn", fields: { work: "test work", error: new Error("Redis is away") } }]);
    await work.close();
  });

  it("ticks when it is triggered, not before its shortest rest, and once for many triggers", async () => {
    const { pass, ticks, work } = aBench(async () => undefined, { minPauseMs: 400 });
    for (let count = 0; count < 5; count += 1) work.trigger();
    await pass(300);
    expect(ticks).toHaveLength(1);
    await pass(200);
    expect(ticks.at(-1)).toEqual({ at: 400, triggered: true });
    await pass(1000);
    expect(ticks.at(-1)).toEqual({ at: 1400, triggered: false });
    await work.close();
  });

  it("aborts the tick in progress when it is closed, waits for it, and does not log how it ended", async () => {
    let ended = false;
    const { work, log } = aBench(
      async ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            ended = true;
            reject(new Error("aborted"));
          });
        }),
    );
    await work.close();
    expect([ended, log.lines]).toEqual([true, []]);
  });
});
