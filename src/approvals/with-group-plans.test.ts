import { expect, it } from "@jest/globals";
import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import { aRunbook, aStep } from "../../test/builders/a-runbook.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMemoryOutbox } from "../../test/fakes/memory-outbox.ts";
import { actionCatalogue } from "../app/action-registry.ts";
import { mailLane } from "../core/outbox.ts";
import { createRecipients } from "../notifications/create-recipients.ts";
import { createComposer } from "../reports/create-composer.ts";
import { createAnnouncer } from "./announce-question.ts";
import { withGroupPlans } from "./with-group-plans.ts";

const aQuestion = (number: number, change: Partial<Question> = {}): Question => ({
  id: `q_${number}`,
  runId: `run_${number}`,
  runbookId: "cost",
  stepId: "resume",
  kind: "approve",
  text: "storm: 51 episodes began within five minutes.",
  answers: ["approve", "reject"],
  role: "approver",
  planSha: "a".repeat(64),
  plan: {
    summary: `Open budget/b${number}`,
    targets: [`budget/b${number}`],
    changes: [{ target: `budget/b${number}`, field: "gate", before: "paused", after: "open" }],
    reversible: true,
    data: { argv: ["--only", `b${number}`] },
  },
  askedAt: number,
  group: "storm",
  ...change,
});

/** The mail of one question of a group, composed while `open` wait. */
async function mailOf(question: Question, open: readonly Question[]): Promise<string> {
  const outbox = createMemoryOutbox();
  const recipients = createRecipients({ groups: { default: ["a@example.com"] }, from: undefined, targets: {} });
  await createAnnouncer({ outbox, recipients, clock: createFakeClock(0) })(question, aRunbook([aStep("resume")]), false);
  const claimed = await outbox.claim(mailLane, 0, 1000);
  if (claimed === undefined) throw new Error("Nothing was announced.");
  const inner = createComposer({
    runs: { get: async () => undefined },
    budgets: { read: async () => undefined, spend: async () => [] },
    catalogue: actionCatalogue,
  });
  const composer = withGroupPlans(inner, { list: async () => open.map((one) => ({ question: one, consents: [], missing: 1 })) });
  const composed = await composer.compose(claimed.row, 0);
  if (composed.kind !== "mail") throw new Error(composed.kind);
  return composed.text;
}

it("shows the whole plan of every run that waits when the mail is sent, and of no other", async () => {
  const { group: _group, ...withoutGroup } = aQuestion(4);
  const others = [aQuestion(3, { group: "other" }), withoutGroup];
  const text = await mailOf(aQuestion(1), [aQuestion(1), aQuestion(2), ...others]);
  expect(text).toContain("2 runs wait for it now:");
  for (const number of [1, 2]) {
    expect(text).toContain(`cost, step resume, run run_${number}:\n  Open budget/b${number}\n  target: budget/b${number}\n`);
    expect(text).toContain(`  budget/b${number} gate: "paused" -> "open"\n  details: {"argv":["--only","b${number}"]}\n`);
  }
  expect(text).not.toMatch(/run_[34]/u);
});

it("writes out what hides in a plan, and says when nothing waits any more", async () => {
  const hidden = aQuestion(1);
  const text = await mailOf(hidden, [
    { ...hidden, plan: { summary: "Open \u202ebudget", targets: [], changes: [], reversible: false, data: null } },
  ]);
  expect(text).toContain("Open \\u202ebudget");
  expect(await mailOf(hidden, [])).toContain("None of the runs waits for it any more.");
});

it("says how many plans do not fit into one mail", async () => {
  const open = Array.from({ length: 600 }, (_, index) => {
    const question = aQuestion(index);
    return { ...question, plan: { summary: "x".repeat(1000), targets: [], changes: [], reversible: true, data: null } };
  });
  const text = await mailOf(aQuestion(1), open);
  expect(text.length).toBeLessThan(520_000);
  expect(text).toMatch(/\n\d+ more are not in this mail; `runbookd approvals list` shows them all\.$/u);
});
