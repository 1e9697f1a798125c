import { describe, expect, it } from "@jest/globals";
import { createSystemClock } from "../src/core/clock.ts";
import { choosePace, measureCpuShare } from "./measure-machine.ts";

describe("the pace of the demo", () => {
  it.each([
    ["an idle machine", 60, 1, { kind: "as_asked", factor: 60 }],
    ["four busy loops on two cores", 60, 0.36, { kind: "as_asked", factor: 60 }],
    ["eight busy loops on two cores", 60, 0.22, { kind: "as_asked", factor: 60 }],
    ["ten busy loops on two cores", 60, 0.18, { kind: "slower", factor: 49 }],
    ["24 busy loops on two cores", 60, 0.09, { kind: "slower", factor: 25 }],
    ["24 busy loops and the faster scenario", 120, 0.08, { kind: "slower", factor: 44 }],
    ["the smallest factor at the least", 60, 0.05, { kind: "slower", factor: 20 }],
    ["hundreds of busy loops", 60, 0.01, { kind: "too_busy" }],
  ] as const)("follows from %s", (_name, asked, share, pace) => {
    expect(choosePace(asked, share)).toEqual(pace);
  });
});

it("measures a share of one core", () => {
  const share = measureCpuShare(createSystemClock());
  expect(share).toBeGreaterThan(0);
  expect(share).toBeLessThanOrEqual(1);
});
