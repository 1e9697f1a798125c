import { expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";

it("answers 0 when every chain holds, and says how much was recomputed", async () => {
  const context = aCommandContext({ answers: { "GET /api/audit/verify": { status: 200, body: { ok: true, runs: 3, entries: 40 } } } });
  expect(await runCli(["audit", "verify"], context, "1")).toBe(0);
  expect(context.printed.out).toBe("Every chain holds: 3 run(s), 40 record(s).\n");
});

it("answers 1 and names the run, the record and what is wrong with it", async () => {
  const broken = { run: "run_1", index: 7, what: "it was changed" };
  const context = aCommandContext({
    answers: { "GET /api/audit/verify": { status: 200, body: { ok: false, runs: 1, entries: 9, broken } } },
  });
  expect(await runCli(["audit", "verify", "run_1"], context, "1")).toBe(1);
  expect(context.printed.err).toBe("Broken: run run_1, record 7: it was changed.\n");
});

it("lists what people did, without letting a reason draw on the terminal", async () => {
  const item = { index: 1, at: 0, kind: "run_aborted", by: "ann", subject: "run_1", detail: { reason: "a\u001b[31m\nb" } };
  const context = aCommandContext({ answers: { "GET /api/audit": { status: 200, body: { items: [item] } } } });
  expect(await runCli(["audit", "list"], context, "1")).toBe(0);
  expect(context.printed.out).toContain("1970-01-01 00:00:00Z  ann  run_aborted  run_1");
  expect(context.printed.out).not.toContain("\u001b");
});
