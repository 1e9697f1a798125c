import { describe, expect, it } from "@jest/globals";
import { faultsOf, type Observations, resultLine } from "./timeline.ts";

const storm = { prompt: "implement", operation: "plan" };
const injected = { ...storm, factor: "attempts_per_ticket", change: "release 1.5.0", maxAttempts: 1 };
const cause = {
  segment: storm,
  factor: "attempts_per_ticket",
  share: 0.6,
  coincides: "release 1.5.0",
  controls: { scale: 1, maxAttempts: 1, because: "" },
};
const whole: Observations = {
  trafficAt: 1,
  stormAt: 2,
  alertFiringAt: 3,
  acceptedAt: 4,
  firstEffectAt: 5,
  spendStoppedAt: 6,
  culprit: storm,
  culpritAt: 7,
  cause,
  maxAttempts: 1,
  resumedAt: 8,
  verifiedAt: 9,
  reportSentAt: 10,
  outcome: "succeeded",
  run: "01J",
  ticketsStartedWhilePaused: 0,
  costMicroUsd: 5,
  budgetMicroUsd: 6,
  bill: { billedMicroUsd: 1000, countedMicroUsd: 995, unreportedRequests: 0, unreportedMicroUsd: 0 },
};

describe("the demo's timeline", () => {
  it("has no fault only when everything was observed", () => {
    expect(faultsOf(whole, injected)).toEqual([]);
  });

  it.each([
    [{ resumedAt: undefined }, "Not observed: Work goes on with limits."],
    [{ outcome: "inconclusive" }, "The run ended inconclusive."],
    [{ outcome: undefined }, "Not observed: the end of the run."],
    [{ culprit: { prompt: "triage", operation: "route" } }, "The run named triage/route"],
    [{ cause: undefined }, "the factor behind the rise"],
    [{ cause: { ...cause, segment: { prompt: "triage", operation: "plan" } } }, "The prompt is triage; it should be implement."],
    [{ cause: { ...cause, factor: "price" } }, "The factor is price; it should be attempts_per_ticket."],
    [{ cause: { ...cause, coincides: undefined } }, "The change that coincides is not told; it should be release 1.5.0."],
    [{ cause: { ...cause, controls: { scale: 0.5, because: "" } } }, "The limit of attempts that follows is not told; it should be 1."],
    [{ maxAttempts: 2 }, "The limit of attempts that was set is 2; it should be 1."],
    [{ ticketsStartedWhilePaused: 2 }, "started while the budget was paused: 2"],
    [{ ticketsStartedWhilePaused: undefined }, "started while the budget was paused: unknown"],
    [{ restart: { killedAt: 5, fault: "Step one ran twice." } }, "Step one ran twice."],
    [{ bill: undefined }, "the provider's bill"],
    [{ bill: { billedMicroUsd: 1000, countedMicroUsd: 994, unreportedRequests: 0, unreportedMicroUsd: 0 } }, "differ by the share 0.006"],
    [{ bill: { billedMicroUsd: 0, countedMicroUsd: 0, unreportedRequests: 0, unreportedMicroUsd: 0 } }, "differ by the share unknown"],
    [{ bill: { billedMicroUsd: 9, countedMicroUsd: 9, unreportedRequests: 2, unreportedMicroUsd: 7 } }, "7 micro-USD for 2 requests"],
    [{ alertFiringAt: 1 }, "fired before anything was wrong"],
  ])("finds %j", (change, fault) => {
    expect(faultsOf({ ...whole, ...change }, injected)).toEqual([expect.stringContaining(fault)]);
  });

  it("prints exactly the promised fields, null for what was not seen", () => {
    expect(JSON.parse(resultLine({ acceptedAt: 0 }))).toEqual({
      outcome: null,
      alertFiringAt: null,
      acceptedAt: "1970-01-01T00:00:00.000Z",
      firstEffectAt: null,
      spendStoppedAt: null,
      resumedAt: null,
      verifiedAt: null,
      reportSentAt: null,
      culprit: null,
      cause: null,
      ticketsStartedWhilePaused: null,
      costMicroUsd: null,
      budgetMicroUsd: null,
      providerDifferenceRatio: null,
      run: null,
    });
  });
});
