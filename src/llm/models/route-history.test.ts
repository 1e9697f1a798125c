import { describe, expect, it } from "@jest/globals";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import { aPrefixSample } from "../../../test/builders/a-prefix-sample.ts";
import { noTokens } from "../usage/token-partition.ts";
import { countNewTickets, describeUse, requestsOfRoute, ticketsOf } from "./route-history.ts";

const anEvent = (change: Partial<UsageEvent> = {}): UsageEvent => ({
  id: "r-1",
  at: 1000,
  provider: "anthropic",
  model: "claude-old-20250101",
  operation: "chat",
  prompt: "implement",
  budget: "b",
  queue: "default",
  ticketId: "T-1",
  attempt: 1,
  turn: 0,
  variant: "baseline",
  outcome: "ok",
  tokens: noTokens,
  costMicroUsd: 10,
  ...change,
});
const route = { id: "implement", baseline: { provider: "anthropic", model: "claude-old" } };

describe("the requests of a route", () => {
  it("are those of its prompt or operation that its model has answered, whatever date is behind the id", () => {
    const events = [
      anEvent({ id: "prompt" }),
      anEvent({ id: "operation", prompt: "x", operation: "implement", model: "claude-old" }),
      anEvent({ id: "asked-for", model: "served-instead", requestModel: "claude-old" }),
      anEvent({ id: "other-model", model: "claude-old-mini" }),
      anEvent({ id: "other-provider", provider: "openai" }),
      anEvent({ id: "other-prompt", prompt: "review" }),
    ];
    expect(requestsOfRoute(events, route).map(({ id }) => id)).toEqual(["prompt", "operation", "asked-for"]);
  });

  it("are all of its model when none names the route", () => {
    const events = [anEvent({ prompt: "a" }), anEvent({ prompt: "b", provider: "openai" })];
    expect(requestsOfRoute(events, route)).toEqual([events[0]]);
  });
});

describe("what requests use", () => {
  const tokens = { ...noTokens, uncached: 10, output: 5 };

  it("is nothing while nothing is known", () => {
    expect(describeUse([], [])).toEqual({ requests: 0, features: [], largestTokens: 0 });
    expect(describeUse([anEvent({ tokens })], [])).toEqual({ requests: 1, features: [], largestTokens: 15 });
  });

  it.each([
    ["thinking", [anEvent({ tokens: { ...tokens, reasoning: 1 } })]],
    ["caching", [anEvent({ tokens: { ...tokens, read: 1 } })]],
    ["caching", [anEvent({ tokens: { ...tokens, write5m: 1 } })]],
    ["batch", [anEvent({ serviceTier: "batch" })]],
  ] as const)("shows %s in the usage", (feature, events) => {
    expect(describeUse(events, []).features).toEqual([feature]);
  });

  it.each([
    ["tools", { role: "tools", kind: "tool" }],
    ["tools", { role: "assistant", kind: "tool_use" }],
    ["images", { role: "user", kind: "image" }],
    ["documents", { role: "user", kind: "document" }],
    ["thinking", { role: "assistant", kind: "thinking" }],
    ["caching", { role: "system", kind: "text", mark: "5m" }],
  ] as const)("shows %s in a block of the prompt", (feature, block) => {
    const blocks = [{ hash: "0".repeat(16), tokens: 1, ...block }];
    expect(describeUse([], [aPrefixSample({ id: "p-1", blocks })]).features).toEqual([feature]);
  });
});

it("adds up what each past ticket has cost, by kind and repository, without those that may still run", () => {
  const events = [
    anEvent({ at: 900, repo: "shop" }),
    anEvent({ at: 500, costMicroUsd: 7 }),
    anEvent({ ticketId: "T-0", at: 1 }),
    anEvent({ ticketId: "T-2", at: 1000 }),
    anEvent({ ticketId: "T-2", at: 1 }),
    anEvent({ ticketId: "trial", at: 1 }),
  ];
  expect(
    ticketsOf(events, {
      endedBefore: 1000,
      kinds: new Map([
        ["T-1", "bug"],
        ["trial", "evaluation"],
      ]),
    }),
  ).toEqual([
    { id: "T-0", kind: "chat", repository: "", costMicroUsd: 10 },
    { id: "T-1", kind: "bug", repository: "shop", costMicroUsd: 17 },
  ]);
});

describe("new tickets of a model", () => {
  const model = { provider: "anthropic", model: "claude-new" };
  const ofNew = (change: Partial<UsageEvent>) => anEvent({ model: "claude-new", ...change });
  const count = (events: readonly UsageEvent[]) => countNewTickets(events, { id: "implement", model }, 5000);

  it("are those whose first request came later and went to it, of this route alone", () => {
    expect(
      count([
        ofNew({ ticketId: "before", at: 4000 }),
        ofNew({ ticketId: "before", at: 6000 }),
        ofNew({ ticketId: "later", at: 6000 }),
        ofNew({ ticketId: "later", at: 7000 }),
        anEvent({ ticketId: "old-model", at: 6000 }),
        ofNew({ ticketId: "elsewhere", at: 6000, prompt: "review", operation: "review" }),
      ]),
    ).toBe(1);
  });

  it("cannot be told without an earlier request that shows that its use is reported", () => {
    expect(count([])).toBeUndefined();
    expect(count([anEvent({ at: 4000 }), ofNew({ ticketId: "later", at: 6000 })])).toBeUndefined();
    expect(count([ofNew({ at: 4000 })])).toBe(0);
  });
});
