import { expect, it } from "@jest/globals";
import { canonicalScope, freezeScopesOf, isFrozenBy } from "./freeze.ts";

const spellings = [
  "https://gw.example/pools/prod",
  "https://GW.example:443/pools//prod/",
  "https://gw.example/pools/x/../pro%64",
  "https://gw.example/%70ools/prod?q",
];

it("covers every spelling of a frozen target", () => {
  for (const target of spellings) {
    const query = { scopes: freezeScopesOf({ runbookId: "r", targets: [target] }), undo: false };
    for (const frozen of spellings) {
      expect(isFrozenBy(query, { scope: canonicalScope(`target:${frozen}`), by: "ada", reason: "x", at: 0, undo: true })).toBe(true);
    }
    expect(isFrozenBy(query, { scope: "target:https://gw.example/pools/test", by: "ada", reason: "x", at: 0, undo: true })).toBe(false);
  }
});

it("covers a target as an earlier version stored it, and leaves other scopes alone", () => {
  const target = "https://gw.example/pools/prod/";
  const query = { scopes: freezeScopesOf({ runbookId: "r", action: "a", targets: [target] }), undo: false };
  expect(isFrozenBy(query, { scope: `target:${target}`, by: "ada", reason: "x", at: 0, undo: true })).toBe(true);
  expect(["all", "runbook:a--b", "action:x"].map(canonicalScope)).toEqual(["all", "runbook:a--b", "action:x"]);
});
