import { expect, it } from "@jest/globals";
import { createRecentDecisions } from "./recent-decisions.ts";

const aDecision = (fingerprint: string, at: number) => ({ fingerprint, decision: "joined", at, source: "webhook" }) as const;

it("answers an alert's decisions, newest first, and forgets the oldest", () => {
  const decisions = createRecentDecisions(3);
  for (const [index, fingerprint] of ["a", "b", "a", "a"].entries()) decisions.add(aDecision(fingerprint, index));
  expect(decisions.newest({ fingerprint: "a" }).map(({ at }) => at)).toEqual([3, 2]);
  expect(decisions.newest({ fingerprint: "b" })).toHaveLength(1);
  decisions.add(aDecision("c", 4));
  expect(decisions.newest({ fingerprint: "b" })).toEqual([]);
  expect(decisions.newest({ fingerprint: "__proto__" })).toEqual([]);
});

it("answers those of one kind, also without a fingerprint, and never more than a page can show", () => {
  const decisions = createRecentDecisions(1000);
  for (let at = 0; at < 500; at += 1) decisions.add({ ...aDecision("", at), decision: at % 2 === 0 ? "unreadable" : "joined" });
  const found = decisions.newest({ decision: "unreadable" });
  expect([found.length, found[0]?.at]).toEqual([200, 498]);
  expect(decisions.newest({})[0]?.at).toBe(499);
});
