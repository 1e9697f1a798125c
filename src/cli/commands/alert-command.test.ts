import { expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";

it.each([
  ["a label without a value", ["--label", "budget"], "accepted is name=value"],
  ["a name that is none", ["--label", "a b=c"], "accepted is name=value"],
  ["the mark itself", ["--label", "runbookd_test=false"], "this label marks tests"],
  ["a wait that is none", ["--wait", "soon"], "accepted is a duration"],
])("answers 2 to %s", async (_name, options, said) => {
  const context = aCommandContext({ env: { ALERTMANAGER_URL: "http://127.0.0.1:1" } });
  expect(await runCli(["alert", "test", "Burn", ...options], context, "1")).toBe(2);
  expect(context.printed.err).toContain(said);
});

it("says what to set when no Alertmanager is configured", async () => {
  const context = aCommandContext();
  expect(await runCli(["alert", "test", "Burn"], context, "1")).toBe(1);
  expect(context.printed.err).toContain("set ALERTMANAGER_URL");
  expect(context.requests).toEqual([]);
});
