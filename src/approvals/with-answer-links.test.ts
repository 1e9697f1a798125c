import { expect, it } from "@jest/globals";
import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import { aRunbook, aStep } from "../../test/builders/a-runbook.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMemoryOutbox } from "../../test/fakes/memory-outbox.ts";
import { actionCatalogue } from "../app/action-registry.ts";
import { mailLane } from "../core/outbox.ts";
import { type LinkedQuestion, linkHash } from "../core/question-link.ts";
import { createRecipients } from "../notifications/create-recipients.ts";
import { createComposer } from "../reports/create-composer.ts";
import { createAnnouncer } from "./announce-question.ts";
import { withAnswerLinks } from "./with-answer-links.ts";

const question: Question = {
  id: "q_1",
  runId: "run_1",
  runbookId: "test",
  stepId: "one",
  kind: "approve",
  text: "Resume?",
  answers: ["approve", "reject"],
  role: "approver",
  planSha: "a".repeat(64),
  askedAt: 0,
  expiresAt: 60_000,
};

/** A question that was announced: what waits, and how it is composed. */
async function anAnnouncement(given: { publicUrl?: string; about?: Partial<Question> } = {}) {
  const outbox = createMemoryOutbox();
  const clock = createFakeClock(0);
  const recipients = createRecipients({ groups: { default: ["a@example.com"] }, from: undefined, targets: {} });
  await createAnnouncer({ outbox, recipients, clock })({ ...question, ...given.about }, aRunbook([aStep("one")]), false);
  const claimed = await outbox.claim(mailLane, 0, 1000);
  if (claimed === undefined) throw new Error("Nothing was announced.");
  const made: string[] = [];
  const kept: { readonly link: LinkedQuestion; readonly token: string }[] = [];
  const inner = createComposer({
    runs: { get: async () => undefined },
    budgets: { read: async () => undefined, spend: async () => [] },
    catalogue: actionCatalogue,
    publicUrl: given.publicUrl,
  });
  const composer = withAnswerLinks(inner, {
    links: { add: async (link, token) => void kept.push({ link, token }) },
    publicUrl: given.publicUrl,
    token: () => {
      made.push(`token-${made.length + 1}`);
      return made.at(-1) ?? "";
    },
  });
  return { row: claimed.row, made, kept, compose: async (now = 1000) => composer.compose(claimed.row, now) };
}

const publicUrl = "https://runbookd.example/";

it("leads to the step of the run first, and to the answer last", async () => {
  const { compose } = await anAnnouncement({ publicUrl });
  expect(await compose()).toMatchObject({
    page: "https://runbookd.example/runs/run_1#step-1",
    text: expect.stringMatching(/https:\/\/runbookd\.example\/runs\/run_1#step-1\n[\s\S]*\/a\/q_1#token-1$/),
  });
});

it("keeps no token in the outbox, and makes one of its own for each delivery", async () => {
  const { row, made, kept, compose } = await anAnnouncement({ publicUrl });
  expect(made).toEqual([]);
  expect(JSON.stringify(row)).not.toContain("#");
  expect(await compose()).toMatchObject({ text: expect.stringMatching(/\n {2}https:\/\/runbookd\.example\/a\/q_1#token-1$/) });
  expect(await compose()).toMatchObject({ text: expect.stringMatching(/#token-2$/) });
  expect(kept.map(({ token }) => token)).toEqual(["token-1", "token-2"]);
  expect(kept.map(({ link, token }) => linkHash(token, link))).toEqual([linkHash("token-1", question), linkHash("token-2", question)]);
});

it("makes none without a public address, after the question's end, and for a question that stands for many runs", async () => {
  for (const { announced, now } of [
    { announced: await anAnnouncement(), now: 1000 },
    { announced: await anAnnouncement({ publicUrl }), now: 60_000 },
    { announced: await anAnnouncement({ publicUrl, about: { group: "storm" } }), now: 1000 },
  ]) {
    expect(await announced.compose(now)).toMatchObject({ kind: "mail", text: expect.not.stringContaining("/a/") });
    expect(announced.made).toEqual([]);
  }
});
