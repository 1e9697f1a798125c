import { expect, it } from "@jest/globals";
import type { Measurement } from "./measure.ts";
import { type Round, renderReport, summarize } from "./report.ts";

function aMeasurement(value: number): Measurement {
  return {
    runsPerSecond: value,
    cpuMsPerRun: value,
    stormRunsPerSecond: value,
    stormCpuMsPerRun: value,
    stormAllAcknowledged: value,
    stormLastFirstAction: value,
    acknowledgeP50: value,
    acknowledgeP99: value,
    firstActionP50: value,
    firstActionP99: value,
    completionP50: value,
    completionP99: value,
    memoryMb: value,
    refused: 0,
  };
}

function aRound(floor: number, product: number): Round {
  return {
    floor: aMeasurement(floor),
    product: aMeasurement(product),
    bareRunsPerSecond: 2 * floor,
    floorEverysec: floor,
    productEverysec: product,
  };
}

it("takes ratios inside each round, so that a slow round does not bend them", () => {
  const [first] = summarize([aRound(1000, 800), aRound(10, 8), aRound(500, 400)]);
  expect(first).toMatchObject({ target: "1", floor: "500", product: "400", ratio: 0.8 });
});

it("covers the targets 1 to 9", () => {
  const targets = new Set(summarize([aRound(1, 1)]).map((line) => line.target));
  expect([...targets].filter((target) => target !== "-")).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
});

it("shows no ratio where there is nothing to divide by", () => {
  const text = renderReport(summarize([aRound(2, 1)]));
  expect(text).toMatch(/answers 503, tried again\s+0\s+0\s+-\s*\n/);
  expect(text).toMatch(/share of bare BullMQ\s+4\s+1\s+0\.25\s+ratio >= 0\.80\n/);
});
