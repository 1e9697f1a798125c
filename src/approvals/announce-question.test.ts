import { expect, it } from "@jest/globals";
import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import { aRunbook, aStep } from "../../test/builders/a-runbook.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import type { NotificationTarget } from "../core/notification-target.ts";
import type { OutboxRow } from "../core/outbox.ts";
import { createRecipients } from "../notifications/create-recipients.ts";
import { createAnnouncer } from "./announce-question.ts";

const question: Question = {
  id: "q_1",
  runId: "run_1",
  runbookId: "test",
  stepId: "one",
  kind: "approve",
  text: "Resume?",
  answers: ["approve", "reject"],
  planSha: "a".repeat(64),
  plan: {
    summary: "Resume checkout",
    targets: ["budget/checkout"],
    changes: [{ target: "budget/checkout", field: "gate", before: "paused", after: "open" }],
    reversible: true,
    data: null,
  },
  askedAt: 0,
  expiresAt: 60_000,
  role: "approver",
  of: 2,
  requester: "ann",
};

function aBench(
  groups: { readonly [group: string]: readonly string[] },
  targets: { readonly [group: string]: readonly NotificationTarget[] } = {},
) {
  const rows: OutboxRow[] = [];
  const announce = createAnnouncer({
    outbox: {
      async put(row) {
        rows.push(row);
        return { put: true };
      },
      find: async (key) => (rows.some((row) => row.key === key) ? { state: "waiting", attempts: 0 } : undefined),
    },
    recipients: createRecipients({ groups, from: undefined, targets }),
    clock: createFakeClock(0),
  });
  const runbook = aRunbook([aStep("one")]);
  const tell = async (escalated: boolean, about: Partial<Question> = {}) => announce({ ...question, ...about }, runbook, escalated);
  return { rows, tell };
}

function textOf(row: OutboxRow | undefined): string {
  return row?.content.kind === "message" ? `${row.content.subject}\n${row.content.text}` : "";
}

it("mails what would change and who is needed, for the page of the question", async () => {
  const bench = aBench({ default: ["a@example.com"] });
  await bench.tell(false);
  const text = textOf(bench.rows[0]);
  expect(text).toContain('budget/checkout gate: "paused" -> "open"');
  expect(text).toContain("2 different people must approve; one rejection is enough.");
  expect(text).toContain("ann started the run and cannot approve this.");
  expect(bench.rows[0]?.content).toMatchObject({
    link: { id: "q_1", runId: "run_1", stepId: "one", planSha: "a".repeat(64), expiresAt: 60_000 },
    step: 1,
  });
});

it("names the target, the alert, its summary and labels, and says what happens without an answer and when", async () => {
  const bench = aBench({ default: ["a@example.com"] });
  const about = { target: "budget/checkout", alertName: "Burn", summary: "It burns.", labels: { severity: "critical" } };
  await bench.tell(false, { about, expiresAt: 3_600_000 });
  const text = textOf(bench.rows[0]);
  expect(text).toContain('Target: budget/checkout\nAlert: Burn\nSummary: It burns.\nLabels: severity="critical"\n');
  expect(text).toContain(
    "Without an answer by 1970-01-01 01:00 UTC, 1h after it was asked, nothing of this plan is done, and the step fails.",
  );
  await bench.tell(true, { kind: "manual" });
  expect(textOf(bench.rows[1])).toContain("after it was asked, the step fails, as if the answer had been no.");
});

it("mails once, and once more to the escalation group as another mail", async () => {
  const bench = aBench({ default: ["a@example.com"], escalation: ["b@example.com"] });
  for (const escalated of [false, false, true, true]) await bench.tell(escalated);
  expect(bench.rows.map(({ key, to }) => [key, to])).toEqual([
    ["question:q_1", "default"],
    ["question:q_1:escalated", "escalation"],
  ]);
  expect(textOf(bench.rows[1])).toContain("Still open: ");
});

it("escalates to everybody again when there is no escalation group", async () => {
  const bench = aBench({ default: ["a@example.com"] });
  await bench.tell(true);
  expect(bench.rows[0]?.to).toBe("default");
});

it("tells every target of the group, once, also when nobody of it is mailed", async () => {
  const bench = aBench({}, { default: [{ kind: "slack", name: "ops", url: "https://hooks.example/x" }] });
  await bench.tell(false);
  await bench.tell(false);
  expect(bench.rows.map(({ key, to, target }) => ({ key, to, target }))).toEqual([
    { key: "question:q_1/slack/ops", to: "default", target: "slack/ops" },
  ]);
});

it("tells once of a question that stands for many runs, without a link to one of them, and again at half of the time", async () => {
  const { rows, tell } = aBench({ default: ["ops@example.org"] });
  for (const id of ["q_1", "q_2", "q_3"]) await tell(false, { id, runId: `run_${id}`, group: "storm", text: "storm: 51 episodes." });
  await tell(true, { group: "storm" });
  await tell(false, { id: "q_9", group: "storm", askedAt: 31 * 60_000 });
  expect(rows.map((row) => textOf(row).split("\n")[0])).toEqual([
    "runbookd needs one answer for all: storm",
    "Still open: runbookd needs one answer for all: storm",
    "runbookd needs one answer for all: storm",
  ]);
  expect(textOf(rows[0])).toContain("runbookd approvals answer group_storm approve|reject");
  expect(rows.map(({ content }) => "link" in content)).toEqual([false, false, false]);
});
