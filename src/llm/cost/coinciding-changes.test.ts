import { expect, it } from "@jest/globals";
import type { WorkloadChange } from "../../../packages/sdk/src/wire/changes.ts";
import { coincidingChanges } from "./coinciding-changes.ts";

const minute = 60_000;
const onset = 100 * minute;
const near = { onset, beforeMs: 30 * minute, afterMs: 2 * minute, decayMs: 10 * minute };
const segment = { prompt: "implement", operation: "plan" };

function aChange(minutes: number, ref: string, dims: WorkloadChange["dims"] = {}): WorkloadChange {
  return { kind: "deploy", ref, at: onset + minutes * minute, dims, by: "ci" };
}

it("takes what lies around the onset only, its edges included", () => {
  const changes = [-31, -30, 0, 2, 3].map((minutes) => aChange(minutes, `${minutes}`));
  expect(coincidingChanges(changes, segment, near).map(({ ref }) => ref)).toEqual(["0", "2", "-30"]);
});

it("prefers what names the segment to what names nothing, and that to what names something else", () => {
  const changes = [
    aChange(-1, "other", { prompt: "review" }),
    aChange(-1, "everything"),
    aChange(-1, "half", { prompt: "implement" }),
    aChange(-1, "whole", segment),
  ];
  const found = coincidingChanges(changes, segment, near);
  expect(found.map(({ ref, score }) => [ref, Math.round((score / Math.exp(-0.1)) * 1000) / 1000])).toEqual([
    ["whole", 1],
    ["half", 0.667],
    ["everything", 0.333],
  ]);
  expect(coincidingChanges(changes.slice(0, 1), segment, near)[0]?.score).toBeLessThan(0.333 * Math.exp(-0.1));
});

it("prefers the nearer of two that fit alike, before or after the onset", () => {
  const changes = [aChange(-20, "far", segment), aChange(1, "near", segment)];
  expect(coincidingChanges(changes, segment, near).map(({ ref }) => ref)).toEqual(["near", "far"]);
});
