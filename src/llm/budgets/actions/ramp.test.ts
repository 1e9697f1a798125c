import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { nextRampMove, type RampFacts, type RampState, rampStart } from "./ramp.ts";

const rules = { everyMs: 100, stepsBackAllowed: 2 };
const at = (now: number, sight: RampFacts["burnRate"], exhausted = false): RampFacts => ({ now, burnRate: sight, exhausted, lastStep: 2 });

describe("one look", () => {
  it.each<[string, RampState, RampFacts, string, number]>([
    ["opens when the burn is under", rampStart(0), at(0, "under"), "advance", 0],
    ["stays closed while the burn is over", rampStart(0), at(0, "over"), "stay", -1],
    ["stays closed when it cannot see", rampStart(0), at(799, "unseen"), "stay", -1],
    ["asks when it has been closed for long and still cannot see", rampStart(0), at(800, "unseen"), "ask_decision", -1],
    ["asks when it has been closed for long and the burn is still over", rampStart(0), at(800, "over"), "ask_decision", -1],
    ["opens after however long when the burn is under at last", rampStart(0), at(5000, "under"), "advance", 0],
    ["holds a stage for its whole time", { ...rampStart(0), stage: 0 }, at(99, "under"), "stay", 0],
    ["goes on after it", { ...rampStart(0), stage: 0 }, at(100, "under"), "advance", 1],
    ["finishes after the last stage", { ...rampStart(0), stage: 2 }, at(100, "under"), "finish", 2],
    ["never goes on without sight", { ...rampStart(0), stage: 1 }, at(500, "unseen"), "stay", 1],
    ["goes back after a whole stage without sight", { ...rampStart(0), stage: 1, unseenSince: 0 }, at(100, "unseen"), "step_back", 0],
    ["goes back when the burn returns", { ...rampStart(0), stage: 1 }, at(10, "over"), "step_back", 0],
    ["closes when it returns at the first stage", { ...rampStart(0), stage: 0 }, at(10, "over"), "step_back", -1],
    ["asks when it returned too often", { ...rampStart(0), stage: 1, stepsBack: 2 }, at(10, "over"), "ask_decision", -1],
    ["asks when the budget is exhausted, whatever the burn", { ...rampStart(0), stage: 1 }, at(10, "under", true), "ask_limit", -1],
  ])("%s", (_name, state, facts, kind, stage) => {
    expect(nextRampMove(state, facts, rules)).toMatchObject({ kind, ramp: { stage } });
  });

  it("counts a stage anew from the moment it can see again", () => {
    const blind = nextRampMove({ ...rampStart(0), stage: 0 }, at(90, "unseen"), rules).ramp;
    const seeing = nextRampMove(blind, at(110, "under"), rules);
    expect(seeing).toMatchObject({ kind: "stay", ramp: { stage: 0, since: 110, unseenSince: null } });
    expect(nextRampMove(seeing.ramp, at(209, "under"), rules).kind).toBe("stay");
    expect(nextRampMove(seeing.ramp, at(210, "under"), rules).kind).toBe("advance");
  });
});

describe("every history", () => {
  const looks = fc.array(
    fc.record({ sight: fc.constantFrom("under", "over", "unseen"), exhausted: fc.boolean(), wait: fc.integer({ min: 1, max: 150 }) }),
    {
      maxLength: 60,
    },
  );

  it("only goes forward one stage at a time, and only on a look that is under", () => {
    fc.assert(
      fc.property(looks, (history) => {
        let ramp = rampStart(0);
        let now = 0;
        for (const { sight, exhausted, wait } of history) {
          now += wait;
          const move = nextRampMove(ramp, { burnRate: sight, exhausted, now, lastStep: 2 }, rules);
          const up = move.ramp.stage - ramp.stage;
          const mayRise = sight === "under" && !exhausted && (ramp.stage < 0 || now - ramp.since >= rules.everyMs);
          expect(up).toBeLessThanOrEqual(mayRise ? 1 : 0);
          const mustFall = (exhausted || sight === "over") && ramp.stage >= 0;
          expect(up).toBeLessThanOrEqual(mustFall ? -1 : 1);
          expect(move.ramp.stage).toBeGreaterThanOrEqual(-1);
          expect(move.ramp.stage).toBeLessThanOrEqual(2);
          if (move.kind !== "advance" && move.kind !== "stay" && move.kind !== "step_back") return;
          ramp = move.ramp;
        }
      }),
    );
  });
});
