import { expect, it } from "@jest/globals";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";

const at = Date.UTC(2026, 2, 1, 12);
const correction = ["budgets", "spend", "checkout", "--correct", "msg_1", "--provider", "anthropic", "--reason", "the invoice"];

it("sets the cost of a report", async () => {
  const event = { ...aUsageEvent({ id: "msg_1" }, at), costMicroUsd: 42_100 };
  const context = aCommandContext({
    answers: { "POST /api/budgets/checkout/corrections": { status: 200, body: { event, changeMicroUsd: -7900 } } },
  });
  expect(await runCli([...correction, "--cost", "0.0421"], context, "1")).toBe(0);
  expect(context.requests[0]?.body).toEqual({ provider: "anthropic", usageId: "msg_1", reason: "the invoice", costMicroUsd: 42_100 });
  expect(context.printed.out).toBe("msg_1 of anthropic costs $0.0421 now, $0.0079 less than before.\n");
});

it.each([[[]], [["--cost", "-1"]], [["--cost", "1e3"]], [["--cost", "0.0000001"]], [["--cost", "0.1\n"]]])(
  "refuses a correction with %j before it asks",
  async (cost) => {
    const context = aCommandContext();
    expect(await runCli([...correction, ...cost], context, "1")).toBe(2);
    expect(context.requests).toEqual([]);
    expect(context.printed.err).toContain("--cost");
  },
);

it("lists the reports of the budget whose cost is uncertain, each in its newest form", async () => {
  const event = aUsageEvent({ id: "a" }, at);
  const unreadable = { ...event, id: "b", anomaly: "not_a_count", estimated: "setting", costMicroUsd: 50_000 } as const;
  const items = [
    { ...event, id: "c", budget: "search", estimated: "setting" },
    { ...unreadable, id: "d\u001b[31m", revises: true, anomaly: undefined, estimated: undefined },
    { ...unreadable, id: "d\u001b[31m" },
    { ...event, id: "e\u001b[31m", conflict: "lower_count", revises: true },
    unreadable,
    event,
  ];
  const context = aCommandContext({ answers: { "GET /api/usage": { status: 200, body: { items } } } });
  expect(await runCli(["budgets", "spend", "checkout", "--uncertain"], context, "1")).toBe(0);
  const lines = context.printed.out.trim().split("\n");
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(/e \[31m .*lower_count/);
  expect(lines[2]).toMatch(/anthropic {2}b .*\$0\.0500 +setting, not_a_count/);
});

it("shows what was spent, and how much of it is estimated", async () => {
  const row = { prompt: "p", operation: "o", provider: "openai", model: "m", costMicroUsd: 2_000_000, estimatedMicroUsd: 500_000 };
  const counts = { requests: 3, tickets: 1, attempts: 1, inputTokens: 1, outputTokens: 1, unpricedTokens: 0 };
  const context = aCommandContext({
    answers: { "GET /api/budgets/checkout/spend": { status: 200, body: { items: [{ ...row, ...counts }] } } },
  });
  expect(await runCli(["budgets", "spend", "checkout", "--since", "2h"], context, "1")).toBe(0);
  expect(context.printed.out).toMatch(/p {7}o {10}openai\/m {2}\$2\.00 {2}\$0\.50 {6}3/);
  expect(await runCli(["budgets", "spend", "checkout", "--since", "ever"], context, "1")).toBe(2);
});
