import { expect, it } from "@jest/globals";
import { createRecentDecisions } from "./recent-decisions.ts";

const aDecision = (fingerprint: string, at: number) => ({ fingerprint, decision: "joined", at, source: "webhook" }) as const;

it("answers an alert's decisions, newest first, and forgets the oldest", () => {
  const decisions = createRecentDecisions(3);
  for (const [index, fingerprint] of ["a", "b", "a", "a"].entries()) decisions.add(aDecision(fingerprint, index));
  expect(decisions.of("a").map(({ at }) => at)).toEqual([3, 2]);
  expect(decisions.of("b")).toHaveLength(1);
  decisions.add(aDecision("c", 4));
  expect(decisions.of("b")).toEqual([]);
  expect(decisions.of("__proto__")).toEqual([]);
});
