import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { findProgram } from "../../../demo/find-program.ts";
import { fireRule, type RuleCase, readComplaint } from "./fire-rule.ts";

const rules = join(import.meta.dirname, "../../../alerts/rules");
const ruleFiles = readdirSync(rules).map((name) => join(rules, name));
const options = { promtool: findProgram("promtool"), ruleFiles, path: process.env["PATH"] ?? "" };
const minute = 60_000;

const burning: RuleCase = {
  alertname: "LLMBudgetBurnFast",
  atMs: 90 * minute,
  intervalMs: minute,
  series: [
    { series: 'llm_cost_usd_total{budget="checkout",provider="a",model="m",prompt="p"}', values: "0+10x120" },
    { series: 'llm_budget_allowance_usd_per_second{budget="checkout"}', values: "0.001x120" },
  ],
};

describe("a rule on given series", () => {
  it("answers the alerts that fire, worded by the rule", async () => {
    expect(await fireRule(burning, options)).toMatchObject({
      kind: "fired",
      alerts: [
        {
          labels: { alertname: "LLMBudgetBurnFast", budget: "checkout", severity: "critical", runbook: "cost-incident-response" },
          annotations: { summary: "A budget burns far above plan.", description: expect.stringContaining("166.7 times its plan") },
        },
      ],
    });
  });

  it("answers none when none fires", async () => {
    const calm = { ...burning, series: burning.series.map((one) => ({ ...one, values: one.values.replace("0+10", "0+0") })) };
    expect(await fireRule(calm, options)).toEqual({ kind: "fired", alerts: [] });
  });

  it("says what promtool says when a series cannot be read, or when it is not there", async () => {
    const broken = { ...burning, series: [{ series: "llm{", values: "1x3" }] };
    expect(await fireRule(broken, options)).toMatchObject({
      kind: "unavailable",
      reason: expect.stringContaining("unexpected character inside braces"),
    });
    expect(await fireRule(burning, { ...options, promtool: "/nowhere/promtool" })).toMatchObject({
      kind: "unavailable",
      reason: expect.stringContaining("ENOENT"),
    });
  });
});

it("reads quotes and lines inside a value", () => {
  const output =
    '  FAILED:\n    got:[\n            0:\n              Labels:{a="x\\"y, b=\\"z", c="1"}\n              Annotations:{d="one\\ntwo"}\n            ]';
  expect(readComplaint(output)).toEqual({
    kind: "fired",
    alerts: [{ labels: { a: 'x"y, b="z', c: "1" }, annotations: { d: "one\ntwo" } }],
  });
});
