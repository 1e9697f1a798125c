import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { blockedMsOf, judgeEventLoop, turnsToKeep } from "./judge-event-loop.ts";

describe("judgeEventLoop", () => {
  it.each([
    ["nothing happened", [], "free"],
    [
      "short turns",
      [
        [99_900, 900],
        [99_000, 999],
      ],
      "free",
    ],
    ["a second just now", [[100_000, 1000]], "held"],
    ["a second almost 5 s ago", [[95_001, 1000]], "held"],
    ["a second 5 s ago", [[95_000, 4999]], "free"],
    ["five seconds at once", [[100_000, 5000]], "stuck"],
    ["almost five seconds at once", [[100_000, 4999]], "held"],
    ["five seconds at once, half a minute ago", [[70_000, 5000]], "free"],
    [
      "twenty seconds of the last thirty",
      [
        [100_000, 4000],
        [95_000, 4000],
        [90_000, 4000],
        [85_000, 4000],
        [80_000, 4000],
      ],
      "stuck",
    ],
    [
      "less than twenty seconds of the last thirty",
      [
        [100_000, 4000],
        [95_000, 4000],
        [90_000, 4000],
        [85_000, 4000],
        [80_000, 3999],
      ],
      "held",
    ],
  ] as const)("says of %s: %j is %s", (_, turns, judgement) => {
    expect(
      judgeEventLoop(
        turns.map(([at, blockedMs]) => ({ at, blockedMs })),
        100_000,
      ),
    ).toBe(judgement);
  });

  it("says the same when the turns that are not needed are forgotten", () => {
    const turn = fc.record({ at: fc.integer({ min: 0, max: 100_000 }), blockedMs: fc.integer({ min: 0, max: 12_000 }) });
    fc.assert(
      fc.property(fc.array(turn), (turns) => {
        expect(judgeEventLoop(turnsToKeep(turns, 100_000), 100_000)).toBe(judgeEventLoop(turns, 100_000));
      }),
      { seed: 7 },
    );
  });
});

describe("blockedMsOf", () => {
  it.each([
    ["work of its own", 3000, 2900, 2900],
    ["a stop, as by SIGSTOP or a suspended machine", 60_000, 3, 3],
    ["a machine that gives it a tenth of a processor", 4000, 400, 400],
    ["more than the time that it was late for", 1000, 3900, 1000],
    ["a timer that was early", -2, 5, 0],
  ])("counts of %s", (_, lateMs, cpuMs, blocked) => {
    expect(blockedMsOf({ lateMs, cpuMs })).toBe(blocked);
  });
});
