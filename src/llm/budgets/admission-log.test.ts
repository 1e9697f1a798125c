import { describe, expect, it } from "@jest/globals";
import type { AdmissionLogEntry } from "../../../packages/sdk/src/wire/admissions.ts";
import { countStartsWhilePaused } from "./admission-log.ts";

const admitted = (at: number, budget = "b"): AdmissionLogEntry => ({ kind: "admitted", at, budget, ticketId: `T-${at}`, starts: true });
const gate = (at: number, state: "open" | "paused", pausedUntil?: number): AdmissionLogEntry => ({
  kind: "gate",
  at,
  budget: "b",
  gate: state,
  by: "run:1",
  ...(pausedUntil === undefined ? {} : { pausedUntil }),
});

describe("countStartsWhilePaused", () => {
  it("counts what was let in between closing and opening", () => {
    const log = [admitted(1), gate(2, "paused"), admitted(3), admitted(4), gate(5, "open"), admitted(6)];
    expect(countStartsWhilePaused(log, "b")).toBe(2);
  });

  it("takes a pause as over when its time is", () => {
    expect(countStartsWhilePaused([gate(2, "paused", 10), admitted(9), admitted(10)], "b")).toBe(1);
  });

  it("looks at one budget only, and not at refusals", () => {
    const refused: AdmissionLogEntry = { kind: "wait", at: 3, budget: "b", ticketId: "T", starts: true, reason: "budget_paused" };
    expect(countStartsWhilePaused([gate(2, "paused"), refused, admitted(3, "other")], "b")).toBe(0);
  });
});
