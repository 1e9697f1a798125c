import { expect, it } from "@jest/globals";
import { parseFault } from "./parse-fault.ts";

it.each([
  ["step 3: 500, 429, 404, 204", { kind: "step", step: "3", outcomes: ["unknown", "overloaded", "refused", "ok"] }],
  ["step pause: refused,ok", { kind: "step", step: "pause", outcomes: ["refused", "ok"] }],
])("reads the outcomes of %s", (line, wanted) => {
  const fault = parseFault(line);
  expect(fault?.kind === "step" ? { ...fault, outcomes: fault.outcomes.map(({ kind }) => kind) } : fault).toEqual(wanted);
});

it.each([
  ["crash before step 2", { kind: "crash", when: "before", step: "2" }],
  ["resolve after step look", { kind: "resolve", afterStep: "look" }],
  ["approval: approve", { kind: "approval", answer: "approve" }],
  ["answer step 7:  stay_paused", { kind: "answer", step: "7", answers: ["stay_paused"] }],
])("reads %s", (line, wanted) => {
  expect(parseFault(line)).toEqual(wanted);
});

it.each([
  "",
  "step 3",
  "step 3:",
  "step 3: ok,",
  "step 3: 700",
  "crash step 2",
  "approval: maybe",
  "approval: deny, deny",
  "resolve at noon",
])("knows no fault %j", (line) => {
  expect(parseFault(line)).toBeUndefined();
});
