import { expect, it } from "@jest/globals";
import { aModelListing } from "../../../test/contracts/describe-model-listings.ts";
import { dayMs } from "../../core/duration.ts";
import { judgeModelLists } from "./judge-models.ts";

const listing = aModelListing({ unreadable: [] });
const now = listing.at + 3 * dayMs;
const failure = { provider: "anthropic", at: now, reason: "anthropic answered 401" };
const judge = (lists: Partial<Parameters<typeof judgeModelLists>[0]>) =>
  judgeModelLists({ listings: [], failures: [], ...lists }, ["anthropic"], now);

it.each([
  ["fine", "1 models, read 3 days ago", { listings: [listing] }],
  ["fine", "read today", { listings: [{ ...listing, at: now }] }],
  ["warning", "not read yet", {}],
  ["warning", "never read: anthropic answered 401", { failures: [failure] }],
  ["warning", "3 days ago; since then anthropic answered 401", { listings: [listing], failures: [failure] }],
  ["warning", "1 could not be read: entry 3", { listings: [aModelListing()] }],
])("says %s, %s", (_level, found, lists) => {
  expect(JSON.stringify(judge(lists))).toContain(found);
});

it("says nothing of a provider without a key", () => {
  expect(judgeModelLists({ listings: [listing], failures: [] }, [], now)).toEqual([]);
});
