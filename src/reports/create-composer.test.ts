import { describe, expect, it } from "@jest/globals";
import { aCostRun } from "../../test/builders/a-cost-run.ts";
import { aBudgetState, createFakeBudgetControl } from "../../test/fakes/fake-budget-control.ts";
import { actionCatalogue } from "../app/action-registry.ts";
import { createComposer } from "./create-composer.ts";

const run = aCostRun();
const budgets = createFakeBudgetControl(aBudgetState("checkout"));
const row = { key: "k", to: "default", content: { kind: "review", runId: "run_01JH" }, putAt: 1000 } as const;
const source = "---\ntarget: budget/x\n---\n# Runbook: Small\n\n## Scenario\nS\n\n## Procedure\n1. **Look**: Look.\n";

function aComposer(change: object = {}) {
  return createComposer({
    runs: { get: async (id) => (id === "run_01JH" ? { ...run, runbookSource: source, ...change } : undefined) },
    budgets,
    catalogue: actionCatalogue,
  });
}

describe("a review", () => {
  it("is composed from the run as it is now", async () => {
    expect(await aComposer().compose(row, 1000)).toMatchObject({
      kind: "mail",
      subject: "Review: Small, budget/checkout: succeeded",
      text: expect.stringContaining("Outcome: succeeded."),
      html: expect.stringContaining("<!doctype html>"),
    });
  });

  it("waits until the run has ended, but not for ever", async () => {
    const going = aComposer({ journal: run.journal.slice(0, 10), summary: { ...run.summary, state: "running", outcome: undefined } });
    expect(await going.compose(row, 1000)).toEqual({ kind: "later" });
    expect(await going.compose(row, 601_000)).toMatchObject({ kind: "mail", subject: expect.stringContaining(": running") });
  });

  it("can never be composed for a run that is gone", async () => {
    expect(await aComposer().compose({ ...row, content: { kind: "review", runId: "other" } }, 1000)).toMatchObject({ kind: "gone" });
  });

  it("is composed without a document that cannot be read any more", async () => {
    expect(await aComposer({ runbookSource: "nothing" }).compose(row, 1000)).toMatchObject({
      subject: "Review: cost-incident-response, budget/checkout: succeeded",
    });
  });
});

it("sends a message as text only, its subject on one line", async () => {
  const content = { kind: "message", runId: "r", subject: "a\r\nBcc: b", text: "t\u001b[31m\n<b>" } as const;
  expect(await aComposer().compose({ ...row, content }, 1000)).toEqual({ kind: "mail", subject: "a Bcc: b", text: "t\n<b>" });
});
