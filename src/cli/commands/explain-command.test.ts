import { expect, it } from "@jest/globals";
import type { CostExplanation } from "../../../packages/sdk/src/wire/costs.ts";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";

const at = Date.UTC(2026, 2, 1, 12);
const hour = 3_600_000;
const windows = { from: at, to: at + hour, baselineFrom: at - hour, baselineTo: at, requests: 300, baselineRequests: 100 };
const explanation: CostExplanation = {
  ...windows,
  kind: "explained",
  verdict: "attributed",
  beganAt: at + 17 * 60_000,
  coincides: [{ kind: "deploy", ref: "release 1.5.0", at: at + 16 * 60_000, by: "ci", dims: {}, score: 0.9 }],
  sentence: "prompt im\u001b[31mplement explains 96.2 % of the rise. It rose mostly through attempts per ticket (91.4 %).",
  advice: "Tickets are tried again and again.",
  costMicroUsd: 30_000_000,
  baselineMicroUsd: 10_000_000,
  changeMicroUsd: 20_000_000,
  explains: 0.962,
  findings: [],
  concentration: 0.5,
  unpricedShare: 0,
  segment: { prompt: "implement", operation: "plan" },
  segmentCostMicroUsd: 22_000_000,
  segmentBaselineMicroUsd: 2_760_000,
  factors: [
    { factor: "attempts_per_ticket", changeMicroUsd: 17_600_000, share: 0.914, times: 6.3 },
    { factor: "tickets", changeMicroUsd: -50_000, share: -0.003, times: 0.995 },
  ],
  prices: [
    {
      provider: "anthropic",
      model: "claude-sonnet-5",
      from: "2026-01-01",
      source: "https://pages.example/prices, September 2026",
      costMicroUsd: 30_000_000,
    },
    { provider: "openai", model: "gpt-5", from: "2026-02-01", costMicroUsd: 1_000_000 },
  ],
  top: { prompt: [{ element: "implement", costMicroUsd: 25_000_000, changeMicroUsd: 19_000_000, share: 0.833 }] },
};
const path = "GET /api/costs/explanation";

it("says the sentence first, then what to do, the costs, the factors and what costs most", async () => {
  const context = aCommandContext({ answers: { [path]: { status: 200, body: explanation } } });
  const line = ["explain", "cost", "--from", "2026-03-01T12:00:00Z", "--to", "2026-03-01T13:00:00Z", "--budget", "checkout"];
  expect(await runCli(line, context, "1")).toBe(0);
  expect(context.requests[0]?.url).toMatch(new RegExp(`\\?from=${at}&to=${at + hour}&budget=checkout$`));
  expect(context.printed.out).toBe(`prompt im [31mplement explains 96.2 % of the rise. It rose mostly through attempts per ticket (91.4 %).

Tickets are tried again and again.

It began at 2026-03-01 12:17:00Z; the costs are of the time since.

COINCIDES             KIND    WHAT           BY
2026-03-01 12:16:00Z  deploy  release 1.5.0  ci

COST                              BEFORE  NOW     CHANGE
everything                        $10.00  $30.00  +$20.00
prompt implement, operation plan  $2.76   $22.00  +$19.24

FACTOR               CHANGE    SHARE OF CHANGE  TIMES
attempts per ticket  +$17.60   91.4 %           × 6.30
tickets              -$0.0500  -0.3 %           × 0.99

MOST COSTLY  ELEMENT    COST    CHANGE   SHARE OF COST
prompt       implement  $25.00  +$19.00  83.3 %

PRICE OF                   SINCE       SOURCE                                        COST IN BOTH WINDOWS
anthropic/claude-sonnet-5  2026-01-01  https://pages.example/prices, September 2026  $30.00
openai/gpt-5               2026-02-01  (the row names none)                          $1.00

2026-03-01 12:00:00Z to 2026-03-01 13:00:00Z, compared with 2026-03-01 11:00:00Z to 2026-03-01 12:00:00Z.
`);
});

it("takes durations before now, the last hour by itself, and names every time that is none", async () => {
  const context = aCommandContext({ answers: { [path]: { status: 200, body: explanation } } });
  expect(await runCli(["explain", "cost", "--baseline-from", "3h", "--baseline-to", "2h", "--json"], context, "1")).toBe(0);
  const { searchParams } = new URL(context.requests[0]?.url ?? "");
  const of = (name: string) => Number(searchParams.get(name));
  expect([of("to") - of("from"), of("to") - of("baselineFrom"), of("to") - of("baselineTo")]).toEqual([hour, 3 * hour, 2 * hour]);
  expect(JSON.parse(context.printed.out)).toEqual(explanation);
  const wrong = aCommandContext({});
  expect(await runCli(["explain", "cost", "--from", "noon", "--to", "later"], wrong, "1")).toBe(2);
  expect(wrong.printed.err.match(/^--(?:from|to) must be /gm)).toHaveLength(2);
});

it("answers 1 when nothing can be told", async () => {
  const body = { ...windows, kind: "incomplete", reason: "not_kept", sentence: "Usage events are no longer all kept." };
  const context = aCommandContext({ answers: { [path]: { status: 200, body } } });
  expect(await runCli(["explain", "cost"], context, "1")).toBe(1);
  expect(context.printed.out).toMatch(/^Usage events are no longer all kept\.\n/);
  expect(await runCli(["explain", "cost"], aCommandContext({}), "1")).toBe(1);
});
