import { expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";
import { parseParam } from "./start-run.ts";

it("starts a runbook with typed parameters", async () => {
  const context = aCommandContext({
    answers: { "POST /api/runs": { status: 202, body: { runId: "01K0RUN" } } },
    env: { RUNBOOKD_TOKEN: "t0ken" },
  });
  expect(
    await runCli(["run", "cost-incident-response", "--param", "budget=checkout", "--param", "limit=3", "--mode", "observe"], context, "1"),
  ).toBe(0);
  expect(context.requests[0]).toEqual({
    method: "POST",
    url: "http://127.0.0.1:9097/api/runs",
    authorization: "Bearer t0ken",
    body: { runbook: "cost-incident-response", params: { budget: "checkout", limit: 3 }, mode: "observe" },
  });
});

it("answers 2 to a parameter without a value and says what is accepted", async () => {
  const context = aCommandContext();
  expect(await runCli(["run", "x", "--param", "budget"], context, "1")).toBe(2);
  expect(context.printed.err).toContain("accepted is name=value");
  expect(context.requests).toEqual([]);
});

it("keeps everything behind the first equals sign", () => {
  expect(parseParam("query=a=b")).toEqual({ name: "query", value: "a=b" });
  expect(parseParam("on=true")).toEqual({ name: "on", value: true });
  expect(parseParam("=x")).toBeUndefined();
});
