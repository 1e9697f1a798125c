import { expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";

const pointer = {
  n: 2,
  commit: "c".repeat(40),
  tree: "t",
  omitted: ["lib (changes inside a submodule)", "odd\u001b[31m\u202e/.git (a history)"],
};
const ticket = {
  id: "GH-1",
  budget: "checkout",
  queue: "code",
  kind: "ticket",
  payload: null,
  variant: "baseline",
  maxAttempts: 3,
  state: "dead",
  reason: "tool_error: npm ENOENT",
  attempt: 2,
  turn: 2,
  saved: {
    done: [
      { stage: "plan", ...pointer, n: 1, omitted: undefined },
      { stage: "implement", ...pointer },
    ],
    resume: pointer,
  },
  estimateMicroUsd: 0,
  stage: "test",
  failures: ["tool_error"],
  createdAt: 0,
  updatedAt: 0,
};

it("shows a ticket with its checkpoints and what they could not keep, without control characters", async () => {
  const context = aCommandContext({ answers: { "GET /api/tickets/GH-1": { status: 200, body: ticket } } });
  expect(await runCli(["tickets", "show", "GH-1"], context, "1")).toBe(0);
  const { out } = context.printed;
  expect(out).toContain("GH-1: dead (tool_error: npm ENOENT)\nbudget checkout, queue code, try 2 of 3, stage test\nfailures: tool_error\n");
  expect(out).toContain(`checkpoint 1 after plan: ${pointer.commit}\ncheckpoint 2 after implement: ${pointer.commit}\n`);
  expect(out).toContain("  not kept: lib (changes inside a submodule)\n");
  expect(out).toMatch(/goes on from checkpoint 2: c+\n {2}not kept: lib/);
  for (const hidden of ["\u001b", "\u202e"]) expect(out).not.toContain(hidden);
});

it("shows a ticket that has saved nothing of ours", async () => {
  const body = { ...ticket, saved: "words", reason: "", stage: "", failures: [], state: "queued" };
  const context = aCommandContext({ answers: { "GET /api/tickets/GH-1": { status: 200, body } } });
  expect(await runCli(["tickets", "show", "GH-1"], context, "1")).toBe(0);
  expect(context.printed.out).toBe("GH-1: queued\nbudget checkout, queue code, try 2 of 3\n");
});

it("lists tickets of a state and a batch", async () => {
  const context = aCommandContext({ answers: { "GET /api/tickets": { status: 200, body: { items: [ticket], nextCursor: "n" } } } });
  expect(await runCli(["tickets", "list", "--state", "dead", "--batch", "b-1"], context, "1")).toBe(0);
  expect(context.requests[0]?.url).toMatch(/\/api\/tickets\?limit=20&state=dead&batch=b-1$/);
  expect(context.printed.out).toMatch(/GH-1 +dead +test +2 +tool_error: npm ENOENT/);
  expect(context.printed.out).toContain("More: --cursor n");
  const none = aCommandContext({ answers: { "GET /api/tickets": { status: 200, body: { items: [] } } } });
  expect(await runCli(["tickets", "list"], none, "1")).toBe(0);
  expect(none.printed.out).toBe("No tickets.\n");
});
