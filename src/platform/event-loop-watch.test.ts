import { expect, it } from "@jest/globals";
import { createClaimGate } from "../app/claim-gate.ts";
import { startEventLoopWatch } from "./event-loop-watch.ts";

/** A watch whose timer the test fires: `turn` lets one turn of the loop take so long, of which the process computes the share. */
function aWatch() {
  let [now, cpu] = [0, 0];
  let tick = () => undefined as void;
  let stopped = 0;
  const lines: string[] = [];
  const write = (kind: string) => (_fields: object, text: string) => void lines.push(`${kind}: ${text}`);
  const watch = startEventLoopWatch({
    clock: {
      monotonic: () => now,
      every: (_ms, run) => {
        tick = run;
        return { stop: () => void (stopped += 1) };
      },
    },
    cpuMs: () => cpu,
    log: { info: write("info"), warn: write("warn"), error: write("error") },
    stuck: () => void lines.push("stuck"),
  });
  const turn = (ms: number, share = 1) => {
    now += ms;
    cpu += ms * share;
    tick();
  };
  return { watch, turn, lines, stopped: () => stopped };
}

const held = "warn: The event loop was blocked; nothing is claimed until it is free again.";
const free = "info: The event loop is free again.";
const stuck = "error: The event loop is stuck; the process ends, and others take its runs over.";

it("holds after a long turn, and goes on when the loop was free for 5 s", () => {
  const { watch, turn, lines } = aWatch();
  const changes: boolean[] = [];
  const stopListening = watch.onChange((isHeld) => changes.push(isHeld));
  turn(500);
  turn(1400);
  expect(watch.isHeld()).toBe(false);
  turn(1500);
  expect(watch.isHeld()).toBe(true);
  for (let times = 0; times < 9; times += 1) turn(500);
  expect(watch.isHeld()).toBe(true);
  turn(500);
  expect([watch.isHeld(), changes, lines]).toEqual([false, [true, false], [held, free]]);
  stopListening();
  turn(3000);
  expect(changes).toEqual([true, false]);
});

it("says once that the loop is stuck", () => {
  const { turn, lines, stopped } = aWatch();
  turn(5400);
  expect(lines).toEqual([held]);
  turn(5500);
  expect([lines, stopped()]).toEqual([[held, stuck, "stuck"], 1]);
});

it("ends no process that was stopped, or that gets little of a busy machine", () => {
  const { watch, turn, lines } = aWatch();
  turn(3_600_000, 0);
  for (let times = 0; times < 100; times += 1) turn(6000, 0.1);
  // A machine that stood still for a while between.
  for (let times = 0; times < 20; times += 1) turn(20_000, 0.03);
  expect([watch.isHeld(), lines]).toEqual([false, []]);
});

it("closes the gate of claims, which the store closes too", () => {
  const { watch, turn } = aWatch();
  let isFit = true;
  let changedStore: (isFit: boolean) => void = () => undefined;
  const gate = createClaimGate(
    { isFit: () => isFit, untilFit: async () => undefined, onChange: (changed) => ((changedStore = changed), () => undefined) },
    watch,
  );
  const changes: boolean[] = [];
  gate.onChange((isOpen) => changes.push(isOpen));
  turn(2000);
  isFit = false;
  changedStore(false);
  for (let times = 0; times < 10; times += 1) turn(500);
  expect(gate.isFit()).toBe(false);
  isFit = true;
  changedStore(true);
  expect([gate.isFit(), changes]).toEqual([true, [false, false, false, true]]);
});
