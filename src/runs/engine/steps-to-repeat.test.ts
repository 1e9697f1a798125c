import { expect, it } from "@jest/globals";
import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import { aRunbook, aStep } from "../../../test/builders/a-runbook.ts";
import { scriptActions } from "../../../test/fakes/scripted-actions.ts";
import { stepsToRepeat } from "./steps-to-repeat.ts";

const actions = scriptActions([
  { name: "look", effect: "read", risk: "raises" },
  { name: "stop" },
  { name: "keep", effect: "keyed", risk: "none" },
  { name: "once", effect: "once", risk: "none" },
  { name: "raise", risk: "raises" },
]);
const repeated = (...steps: Step[]) => stepsToRepeat(aRunbook(steps, { onJoined: "repeat" }), actions);

it("are the first ones that look, tell or lower, and can be done twice", () => {
  const first = [aStep("look"), aStep("stop"), aStep("keep")];
  expect(repeated(...first)).toEqual(["look", "stop", "keep"]);
  expect(repeated(...first, aStep("raise"), aStep("stop", { id: "behind" }))).toEqual(["look", "stop", "keep"]);
  expect(repeated(...first, aStep("by_hand", { action: null }))).toEqual(["look", "stop", "keep"]);
  expect(repeated(...first, aStep("once"))).toEqual(["look", "stop", "keep"]);
  const approval = { role: "approver", of: 1, withinMs: 1000 } as const;
  expect(repeated(aStep("look"), aStep("stop", { approval }))).toEqual(["look"]);
  expect(repeated(aStep("look"), aStep("unknown"))).toEqual(["look"]);
});

it("are none unless the document says so", () => {
  expect(stepsToRepeat(aRunbook([aStep("stop")]), actions)).toEqual([]);
  expect(stepsToRepeat(aRunbook([aStep("stop")], { onJoined: "continue" }), actions)).toEqual([]);
});
