import { describe, expect, it } from "@jest/globals";
import type { Alert } from "../../packages/sdk/src/wire/alerts.ts";
import type { ParamSpec } from "../../packages/sdk/src/wire/runbooks.ts";
import { paramsFromAlert, paramsFromPerson } from "./run-params.ts";

function anAlert(labels: Record<string, string>, annotations: Record<string, string> = {}): Alert {
  return { status: "firing", labels, annotations, startsAt: 0, generatorUrl: "", fingerprint: "f" };
}

const fromLabel = (type: ParamSpec["type"], more: Partial<ParamSpec> = {}) => ({ it: { type, from: "alert.labels.value", ...more } });
const read = (type: ParamSpec["type"], value: string, more?: Partial<ParamSpec>) =>
  paramsFromAlert(fromLabel(type, more), anAlert({ value }));

describe("parameters of an alert", () => {
  it.each<[ParamSpec["type"], string, unknown]>([
    ["string", "$(id); rm -rf /", "$(id); rm -rf /"],
    ["string", "${{ params.other }}", "${{ params.other }}"],
    ["integer", "12", 12],
    ["integer", "-3", -3],
    ["number", "0.25", 0.25],
    ["boolean", "true", true],
    ["duration", "10m", "10m"],
  ])("reads a %s from %j", (type, text, value) => {
    expect(read(type, text)).toEqual({ ok: true, params: { it: value } });
  });

  it.each<[ParamSpec["type"], string]>([
    ["number", "1e309"],
    ["number", "NaN"],
    ["number", "Infinity"],
    ["number", "-0"],
    ["number", "0x10"],
    ["number", "1_000"],
    ["number", " 5 "],
    ["number", "1e3"],
    ["number", "9".repeat(400)],
    ["integer", "1.5"],
    ["integer", "9007199254740993"],
    ["integer", "007"],
    ["boolean", "True"],
    ["boolean", "yes"],
    ["boolean", "1"],
    ["duration", "ten minutes"],
    ["duration", "5"],
  ])("refuses %s %j and says what would be accepted", (type, text) => {
    expect(read(type, text)).toEqual({ ok: false, issues: [expect.stringMatching(/^params\.it is not \S/)] });
  });

  it.each(["PROD", "ｐrod", "prоd", "prod "])("refuses %j where only prod is listed", (text) => {
    expect(read("string", text, { enum: ["prod"] })).toEqual({ ok: false, issues: ['params.it is not one of "prod"'] });
  });

  it("reads annotations too", () => {
    const specs = { why: { type: "string", from: "alert.annotations.summary" } } as const;
    expect(paramsFromAlert(specs, anAlert({}, { summary: "It burns." }))).toEqual({ ok: true, params: { why: "It burns." } });
  });

  it.each([anAlert({}), anAlert({ value: "" })])("takes the default when the label is missing or empty", (alert) => {
    expect(paramsFromAlert(fromLabel("string", { default: "all-of-none" }), alert)).toEqual({ ok: true, params: { it: "all-of-none" } });
    expect(paramsFromAlert(fromLabel("string"), alert)).toEqual({ ok: false, issues: ["params.it: alert.labels.value is missing"] });
  });

  it("does not find labels on JavaScript's prototypes", () => {
    const specs = { it: { type: "string", from: "alert.labels.constructor" } } as const;
    expect(paramsFromAlert(specs, anAlert({}))).toMatchObject({ ok: false });
  });

  it("names every fault at once", () => {
    const specs = { a: { type: "string" }, b: { type: "integer", from: "alert.labels.value" } } as const;
    expect(paramsFromAlert(specs, anAlert({ value: "x" }))).toEqual({
      ok: false,
      issues: ["params.a has no value and no default", "params.b is not an integer"],
    });
  });
});

describe("parameters of a person", () => {
  const specs = { budget: { type: "string" }, share: { type: "number", default: 0.5 }, dry: { type: "boolean", default: false } } as const;

  it("takes JSON values and text alike, and defaults for the rest", () => {
    expect(paramsFromPerson(specs, { budget: "checkout", share: "0.25", dry: true })).toEqual({
      ok: true,
      params: { budget: "checkout", share: 0.25, dry: true },
    });
    expect(paramsFromPerson(specs, { budget: "checkout" })).toEqual({ ok: true, params: { budget: "checkout", share: 0.5, dry: false } });
  });

  it("refuses a missing one, one of another type and one that the runbook does not have", () => {
    expect(paramsFromPerson(specs, { share: [1], bugdet: "checkout" })).toEqual({
      ok: false,
      issues: [
        "params.budget is missing: a text is expected",
        "params.share is not a finite decimal number",
        "params.bugdet is unknown; this runbook has: budget, share, dry",
      ],
    });
  });
});
