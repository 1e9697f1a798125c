import { describe, expect, it } from "@jest/globals";
import { applyChange, hasChange, noLimits, openControls } from "./controls.ts";

describe("applyChange", () => {
  it("keeps what is absent and removes what is null", () => {
    const current = { ...openControls, gate: "paused", pausedUntil: 5, stopBefore: 6 } as const;
    expect(applyChange(current, { reason: "r" })).toEqual({ ...current, reason: "r" });
    expect(applyChange(current, { pausedUntil: null, stopBefore: null })).toEqual({ ...openControls, gate: "paused" });
  });

  it("cuts texts to what is stored", () => {
    expect(applyChange(openControls, { reason: "x".repeat(900) }).reason).toHaveLength(300);
  });
});

describe("holdsChange", () => {
  it("sees an equal change that is there already, and one that is not", () => {
    const controls = { ...openControls, gate: "paused", reason: "x".repeat(300), version: 9 } as const;
    expect(hasChange(controls, { gate: "paused", reason: "x".repeat(900) })).toBe(true);
    expect(hasChange(controls, { pausedUntil: null })).toBe(true);
    expect(hasChange(controls, { pausedUntil: 3 })).toBe(false);
    expect(hasChange(controls, { limits: { ...noLimits, concurrency: 1 } })).toBe(false);
  });
});
