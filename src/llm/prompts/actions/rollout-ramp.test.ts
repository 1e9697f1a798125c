import { describe, expect, it } from "@jest/globals";
import { neededHit, nextPromptRolloutMove, type PromptRolloutFacts, type PromptRolloutState } from "./rollout-ramp.ts";

const rules = { everyMs: 100, minTickets: 30, predictedHit: 0.9 };
const stage: PromptRolloutState = { stage: 0, since: 0 };
const good: PromptRolloutFacts = {
  now: 100,
  lastStep: 2,
  candidate: { tickets: 30, hit: 0.9 },
  baselineHit: 0.1,
  costRatioUpper: 0.5,
  harm: { kind: "none" },
};

describe("nextPromptRolloutMove", () => {
  it.each<[string, Partial<PromptRolloutFacts>, Partial<PromptRolloutState>, string, string]>([
    ["begins", { candidate: undefined }, { stage: -1 }, "advance", "begins"],
    [
      "does not begin while harm cannot be seen",
      { harm: { kind: "unseen", text: "no Prometheus" } },
      { stage: -1 },
      "stay",
      "no Prometheus",
    ],
    ["goes on after its time with enough tickets that are cheaper", {}, {}, "advance", "90.0 %"],
    ["stays before its time", { now: 99 }, {}, "stay", "90.0 %"],
    ["stays with too few tickets", { candidate: { tickets: 29, hit: 0.9 } }, {}, "stay", "29 of 30"],
    ["stays while nothing was seen", { candidate: undefined }, {}, "stay", "0 of 30"],
    ["stays while it is not proven to be cheaper", { costRatioUpper: 1 }, {}, "stay", "not proven"],
    ["stays without a price", { costRatioUpper: undefined }, {}, "stay", "unknown"],
    ["stays while harm cannot be seen", { harm: { kind: "unseen", text: "no Prometheus" } }, {}, "stay", "no Prometheus"],
    [
      "takes harm back at once, in any stage",
      { harm: { kind: "harmed", text: "tickets fail" }, now: 1, candidate: undefined },
      {},
      "take_back",
      "fail",
    ],
    ["takes back what reads less than before", { baselineHit: 0.96, now: 1 }, {}, "take_back", "the version before 96.0 %"],
    ["asks a person after six stages without a verdict", { now: 600, candidate: undefined }, {}, "ask", "0 of 30"],
    ["asks a person when it cannot even begin", { now: 600, harm: { kind: "unseen", text: "no Prometheus" } }, { stage: -1 }, "ask", "no"],
    ["ends when the last stage reads what was promised", { candidate: { tickets: 30, hit: 0.8 } }, { stage: 2 }, "finish", "needed"],
    ["does not end when it reads less", { candidate: { tickets: 30, hit: 0.79 } }, { stage: 2 }, "stay", "80.0 % is needed"],
  ])("%s", (_name, facts, state, kind, why) => {
    expect(nextPromptRolloutMove({ ...stage, ...state }, { ...good, ...facts }, rules)).toMatchObject({
      kind,
      why: expect.stringContaining(why),
    });
  });

  it("needs nine tenths of what was predicted, and never more than 80 %", () => {
    expect([neededHit(0.5), neededHit(0.95)]).toEqual([0.45, 0.8]);
  });
});
