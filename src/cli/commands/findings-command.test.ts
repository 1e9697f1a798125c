import { expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";

const finding = {
  id: "cache-1",
  kind: "cache",
  severity: "medium",
  title: "implement reads 2 %\u001b[31m of its input.",
  at: 0,
  evidence: {},
  status: "accepted",
  note: { status: "accepted", by: "ada", reason: "a nightly job", at: 0, severity: "medium" },
};

it("lists findings with what people said of them", async () => {
  const items = [finding, { ...finding, id: "cache-2", status: "open", note: null }];
  const context = aCommandContext({ answers: { "GET /api/findings": { status: 200, body: { items } } } });
  expect(await runCli(["findings"], context, "1")).toBe(0);
  expect(context.printed.out).toMatch(/cache-1 +medium +accepted +ada +implement reads 2 %/);
  expect(context.printed.out).toMatch(/cache-2 +medium +open +implement/);
  expect(context.printed.out).not.toContain("\u001b[31m");
});

it("asks for those of one status only, and says when there are none", async () => {
  const context = aCommandContext({ answers: { "GET /api/findings": { status: 200, body: { items: [] } } } });
  expect(await runCli(["findings", "--status", "open"], context, "1")).toBe(0);
  expect(context.printed.out).toBe("There are no findings.\n");
  expect(context.requests[0]?.url).toMatch(/\/api\/findings\?status=open$/);
  expect(await runCli(["findings", "--status", "done"], aCommandContext(), "1")).toBe(2);
});

it("says what becomes of one, with a reason, and prints what it was told", async () => {
  const context = aCommandContext({ answers: { "PUT /api/findings/cache-1/status": { status: 200, body: finding } } });
  expect(await runCli(["findings", "say", "cache-1", "accepted", "--reason", "a nightly job"], context, "1")).toBe(0);
  expect(context.requests[0]?.body).toEqual({ status: "accepted", reason: "a nightly job" });
  expect(context.printed.out).toContain("cache-1 is accepted: implement reads");
  const silent = aCommandContext();
  expect(await runCli(["findings", "say", "cache-1", "accepted"], silent, "1")).toBe(2);
  expect(silent.requests).toEqual([]);
});
