import { expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { aChange } from "../../../test/contracts/describe-change-log.ts";
import { runCli } from "../run-cli.ts";

const at = Date.UTC(2026, 2, 1, 12);

it("tells a change with what it concerns", async () => {
  const body = aChange({ at, by: "anna" });
  const context = aCommandContext({ answers: { "POST /api/changes": { status: 201, body } } });
  const line = ["changes", "add", "deploy", "release 1.5.0", "--of", "prompt=implement", "--of", "repo=shop=eu"];
  expect(await runCli(line, context, "1")).toBe(0);
  expect(context.requests[0]?.body).toEqual({ kind: "deploy", ref: "release 1.5.0", dims: { prompt: "implement", repo: "shop=eu" } });
  expect(context.printed.out).toBe("Recorded at 2026-03-01 12:00:00Z: release 1.5.0.\n");
});

it.each([
  ["an unknown kind", ["rumour", "it was the moon"], /kind/],
  ["nothing that was changed", ["deploy", " "], /ref/],
  ["an unknown dimension", ["deploy", "x", "--of", "moon=full"], /moon/],
  ["a dimension without a value", ["deploy", "x", "--of", "prompt"], /dims/],
])("refuses %s before it asks anybody", async (_name, args, names) => {
  const context = aCommandContext();
  expect(await runCli(["changes", "add", ...args], context, "1")).toBe(2);
  expect(context.requests).toEqual([]);
  expect(context.printed.err).toMatch(names);
});

it("lists changes of the last days, and says how to add one when there is none", async () => {
  const context = aCommandContext({
    answers: { "GET /api/changes": { status: 200, body: { items: [aChange({ at, ref: "re\u001b[31mlease" })] } } },
  });
  expect(await runCli(["changes", "list", "--since", "2h"], context, "1")).toBe(0);
  const from = Number(new URL(context.requests[0]?.url ?? "").searchParams.get("from"));
  expect(Math.abs(context.clock.now() - 7_200_000 - from)).toBeLessThan(60_000);
  expect(context.printed.out).toBe(`AT                    KIND    WHAT          OF                BY
2026-03-01 12:00:00Z  deploy  re [31mlease  prompt implement  ci
`);
  const empty = aCommandContext({ answers: { "GET /api/changes": { status: 200, body: { items: [] } } } });
  expect(await runCli(["changes", "list"], empty, "1")).toBe(0);
  expect(empty.printed.out).toContain("POST /api/changes");
  expect(await runCli(["changes", "list", "--since", "ever"], empty, "1")).toBe(2);
});
