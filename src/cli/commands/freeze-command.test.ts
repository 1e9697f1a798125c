import { expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";

const freeze = { scope: "all", by: "ann", reason: "a release", at: 1_790_000_000_000, undo: true };

it("freezes everything when no scope is named", async () => {
  const context = aCommandContext({ answers: { "PUT /api/freeze": { status: 200, body: freeze } } });
  expect(await runCli(["freeze", "--reason", "a release"], context, "1")).toBe(0);
  expect(context.requests[0]?.body).toEqual({ scope: "all", reason: "a release", undo: true });
  expect(context.printed.out).toContain("runbookd unfreeze all");
});

it("freezes one scope and its undo", async () => {
  const body = { ...freeze, scope: "action:set-limits", undo: false };
  const context = aCommandContext({ answers: { "PUT /api/freeze": { status: 200, body } } });
  expect(await runCli(["freeze", "action:set-limits", "--reason", "a release", "--no-undo"], context, "1")).toBe(0);
  expect(context.requests[0]?.body).toEqual({ scope: "action:set-limits", reason: "a release", undo: false });
});

it("asks for a reason before it asks anybody else", async () => {
  const context = aCommandContext();
  expect(await runCli(["freeze"], context, "1")).toBe(2);
  expect(context.requests).toEqual([]);
  expect(context.printed.err).toContain("--reason");
});

it("lists what is frozen, by whom and why", async () => {
  const context = aCommandContext({ answers: { "GET /api/freeze": { status: 200, body: { items: [freeze] } } } });
  expect(await runCli(["freeze", "--list"], context, "1")).toBe(0);
  expect(context.printed.out).toMatch(/all\s+ann\s+\S+.*permitted\s+a release/);
});

it("lifts a freeze and tells what still stands", async () => {
  const answer = { scope: "all", items: [{ ...freeze, scope: "target:t/1" }] };
  const context = aCommandContext({ answers: { "DELETE /api/freeze": { status: 200, body: answer } } });
  expect(await runCli(["unfreeze"], context, "1")).toBe(0);
  expect(context.requests[0]?.url).toContain("scope=all");
  expect(context.printed.out).toContain("target:t/1");
});

it("answers 1 when there is no such freeze", async () => {
  const problem = { type: "urn:x", title: "There is no such thing", status: 404, detail: "There is no freeze of all." };
  const context = aCommandContext({ answers: { "DELETE /api/freeze": { status: 404, body: problem } } });
  expect(await runCli(["unfreeze"], context, "1")).toBe(1);
});
