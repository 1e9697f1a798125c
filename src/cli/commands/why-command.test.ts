import { expect, it } from "@jest/globals";
import type { ExplainedDecision } from "../../../packages/sdk/src/wire/alerts.ts";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { runCli } from "../run-cli.ts";

const refused: ExplainedDecision = {
  id: "dec_1",
  fingerprint: "5ef77f1f8a3ecfb9",
  decision: "refused",
  guardrail: "cooldown",
  runbook: "cost",
  at: Date.UTC(2026, 0, 31, 12),
  lastAt: Date.UTC(2026, 0, 31, 13),
  count: 3,
  source: "webhook",
  alertName: "Burn",
  labels: { budget: "check\u001b[2Jout" },
  why: "Its cooldown lasts.",
  remedy: "Wait.",
};

const answering = (items: readonly ExplainedDecision[], nextCursor?: string) =>
  aCommandContext({ answers: { "GET /api/decisions": { status: 200, body: { items, ...(nextCursor !== undefined && { nextCursor }) } } } });

it("says what was decided about an alert, why, and what would change it", async () => {
  const context = answering([refused, { ...refused, decision: "enqueued", runId: "run_1", count: 1 }], "abc");
  expect(await runCli(["why", "Burn"], context, "1")).toBe(0);
  expect(context.printed.out).toContain(
    '2026-01-31 12:00:00Z  refused  Burn (3 times, last 2026-01-31 13:00:00Z)\n  budget="check [2Jout"\n  fingerprint 5ef77f1f8a3ecfb9\n  Its cooldown lasts.\n  Wait.\n',
  );
  expect(context.printed.out).toContain("  runbookd runs show run_1\n");
  expect(context.printed.out).toContain("More: --cursor abc");
  expect(new URL(context.requests[0]?.url ?? "").search).toBe("?alert=Burn&limit=10");
});

it("asks by fingerprint, kind, runbook and time", async () => {
  const context = { ...answering([refused]), clock: createFakeClock(Date.UTC(2026, 0, 31, 14)) };
  await runCli(["why", "5ef77f1f8a3ecfb9", "--decision", "refused", "--runbook", "cost", "--since", "2h", "--json"], context, "1");
  const query = new URL(context.requests[0]?.url ?? "").searchParams;
  expect([query.get("fingerprint"), query.get("decision"), query.get("runbook")]).toEqual(["5ef77f1f8a3ecfb9", "refused", "cost"]);
  expect(Number(query.get("since"))).toBe(Date.UTC(2026, 0, 31, 12));
  expect(JSON.parse(context.printed.out)).toEqual({ items: [refused] });
});

it("answers 1 and says what to examine when nothing came in, and 2 to a time that is none", async () => {
  const context = answering([]);
  expect(await runCli(["why", "Burn"], context, "1")).toBe(1);
  expect(context.printed.out).toContain("No notification about Burn has reached runbookd.");
  expect(await runCli(["why", "--since", "yesterday"], context, "1")).toBe(2);
});
