import { expect, it } from "@jest/globals";
import type { Feature } from "../../core/feature.ts";
import { judgeFeatures } from "./judge-features.ts";

const whole: Feature = {
  name: "export",
  flags: [{ system: "runbookd", key: "export" }],
  budgets: ["checkout"],
  keys: [],
  versionUrls: [],
  repository: "acme/desk",
  paths: ["src/export/"],
  probe: { url: "https://desk.example/export", method: "GET", refusedBy: [403] },
  exposure: "customers",
  data: "personal",
  agency: {},
  codeHost: "git",
  tests: { kind: "command", name: "test" },
  attacks: { kind: "command", name: "attack" },
  deployment: { kind: "command", name: "deploy" },
};

it("finds nothing in a feature that says everything", () => {
  expect(judgeFeatures([whole], ["checkout"])).toEqual([
    { name: "Feature export", verdict: "ok", detail: "1 flags, 1 budgets, 0 keys, a probe" },
  ]);
});

it("names everything that a feature lacks", () => {
  const [finding] = judgeFeatures([{ name: "search", flags: [], budgets: [], keys: [], paths: [], versionUrls: [] }], []);
  expect(finding).toMatchObject({ verdict: "warning" });
  for (const part of ["flags", "a probe", "repository and paths", "exposure", "data", "agency"]) expect(finding?.detail).toContain(part);
});

it("names the steps of a fix that a person has to do", () => {
  const { tests: _tests, deployment: _deployment, ...half } = whole;
  expect(judgeFeatures([half], ["checkout"])).toMatchObject([
    { verdict: "warning", detail: "lacks tests, deployment, without which a person does these steps of a fix" },
  ]);
});

it("calls a budget that does not exist a fault, and none while budgets cannot be read", () => {
  expect(judgeFeatures([whole], ["other"])).toMatchObject([{ verdict: "fault", detail: "names a budget that does not exist: checkout" }]);
  expect(judgeFeatures([whole], undefined)).toMatchObject([{ verdict: "ok" }]);
});
