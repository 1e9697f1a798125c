import { describe, expect, it } from "@jest/globals";
import type { PrometheusReader } from "../../../core/prometheus.ts";
import { judgeHarm } from "./judge-harm.ts";

const outcomes = ["canary", "canary ok", "baseline", "baseline ok"];

/** Answers each query with its value; a query without one has no series. */
function judge(
  values: Readonly<Record<string, number>>,
  change: { harm?: string[]; canaryHasTickets?: boolean; down?: boolean; partial?: string } = {},
) {
  const prometheus: PrometheusReader = {
    async query(promql) {
      if (change.down === true) return { kind: "unavailable", reason: "it is away" };
      if (change.partial === promql) return { kind: "incomplete", reason: "a store did not answer" };
      const value = values[promql];
      return { kind: "samples", samples: value === undefined ? [] : [{ labels: {}, value, at: 0 }], warnings: [] };
    },
  };
  const seen = { canaryHasTickets: change.canaryHasTickets ?? false };
  return judgeHarm({ harm: change.harm ?? [], outcomes }, seen, { prometheus, signal: new AbortController().signal });
}
const counted = (canary: number, canaryOk: number, baseline = 400, baselineOk = 320) => ({
  canary,
  "canary ok": canaryOk,
  baseline,
  "baseline ok": baselineOk,
});

describe("judgeHarm", () => {
  it("finds no harm in a canary that does as well, and none in a bad beginning that chance explains", async () => {
    expect(await judge(counted(100.2, 79.7))).toEqual({ kind: "none" });
    expect(await judge(counted(30, 20))).toEqual({ kind: "none" });
    expect(await judge(counted(0, 0))).toEqual({ kind: "none" });
  });

  it("finds a canary that is shown to be worse, and a catastrophe after ten tickets", async () => {
    expect(await judge(counted(60, 20))).toEqual({
      kind: "harmed",
      text: "20 of 60 tickets of the canary succeeded, 320 of 400 of the others: it is shown to be worse",
    });
    expect(await judge(counted(10, 3))).toMatchObject({ kind: "harmed" });
    expect(await judge(counted(9, 3))).toEqual({ kind: "none" });
  });

  it("says what it cannot see", async () => {
    expect(await judge({}, { down: true })).toMatchObject({ kind: "unseen", text: expect.stringContaining("it is away") });
    expect(await judge(counted(50, 40, 0, 0))).toMatchObject({ kind: "unseen", text: expect.stringContaining("baseline") });
    expect(await judge(counted(0, 0), { canaryHasTickets: true })).toMatchObject({
      kind: "unseen",
      text: expect.stringContaining("canary"),
    });
    for (const values of [counted(Number.NaN, 1), counted(60, Number.NaN), counted(60, 50, Number.NaN), counted(60, 50, 400, Number.NaN)]) {
      expect(await judge(values)).toMatchObject({ kind: "unseen", text: expect.stringContaining("not a number") });
    }
    for (const partial of outcomes) expect(await judge(counted(60, 20), { partial })).toMatchObject({ kind: "unseen" });
  });

  it("takes the answer of a query that must be silent for harm", async () => {
    expect(await judge({ ...counted(50, 40), burning: 1 }, { harm: ["burning"] })).toMatchObject({ kind: "harmed" });
    expect(await judge({ ...counted(50, 40), "count(burning{})": 1 }, { harm: ["burning"] })).toEqual({ kind: "none" });
  });

  it("takes silence for none only when the series exist, and a partial or unreadable answer for nothing", async () => {
    expect(await judge(counted(50, 40), { harm: ["burning > 1"] })).toEqual({ kind: "unseen", text: "no series burning{}" });
    expect(await judge({ ...counted(50, 40), burning: Number.NaN }, { harm: ["burning"] })).toMatchObject({ kind: "unseen" });
    expect(await judge({ ...counted(50, 40), burning: 1 }, { harm: ["burning"], partial: "burning" })).toMatchObject({ kind: "unseen" });
    expect(await judge(counted(50, 40), { harm: ["burning"], partial: "count(burning{})" })).toMatchObject({ kind: "unseen" });
    // Prometheus has these series only while an alert is active.
    expect(await judge(counted(50, 40), { harm: ['ALERTS{alertname="Burning"}'] })).toEqual({ kind: "none" });
    expect(await judge({ ...counted(50, 40), worse: 1 }, { harm: ["burning", "worse"] })).toMatchObject({ kind: "harmed" });
  });
});
