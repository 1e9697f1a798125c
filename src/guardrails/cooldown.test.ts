import { expect, it } from "@jest/globals";
import { cooldown, cooldownBucket, cooldownWindowMs } from "./cooldown.ts";

const half = 30 * 60_000;

it("claims one start per window", () => {
  const bucket = cooldownBucket({ runbookId: "cost", target: "budget/a" });
  expect(cooldown({ runbookId: "cost", fingerprint: "f", target: "budget/a", cooldownMs: half }, { episodesInDay: 1 })).toEqual({
    kind: "allow",
    claims: [{ bucket, max: 1, windowMs: half, amount: 1 }],
  });
});

it("doubles with every episode of a day, up to eight times", () => {
  expect([0, 1, 2, 3, 4, 5, 100].map((episodes) => cooldownWindowMs(half, episodes) / half)).toEqual([1, 1, 2, 4, 8, 8, 8]);
});

it("is of the runbook and the target, or of the alert when there is no target", () => {
  const ofTarget = cooldownBucket({ runbookId: "cost", fingerprint: "f", target: "budget/a" });
  expect(cooldownBucket({ runbookId: "cost", fingerprint: "other", target: "budget/a" })).toBe(ofTarget);
  expect(cooldownBucket({ runbookId: "cost", fingerprint: "f" })).not.toBe(ofTarget);
  expect(cooldownBucket({ runbookId: "other", target: "budget/a" })).not.toBe(ofTarget);
  expect(ofTarget).toMatch(/^cooldown:[0-9a-f]{64}$/);
});

it("claims nothing without a cooldown, or when a person starts a run that has no target", () => {
  expect(cooldown({ runbookId: "cost", target: "budget/a", cooldownMs: 0 }, { episodesInDay: 1 })).toEqual({ kind: "allow", claims: [] });
  expect(cooldown({ runbookId: "cost", cooldownMs: half }, { episodesInDay: 1 })).toEqual({ kind: "allow", claims: [] });
});
