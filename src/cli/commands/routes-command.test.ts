import { describe, expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { aCandidate, someTargets } from "../../../test/contracts/describe-model-routes.ts";
import { dayMs } from "../../core/duration.ts";
import { runCli } from "../run-cli.ts";

const at = Date.UTC(2026, 2, 1, 12);
const aRoute = { ...someTargets(), id: "implement", version: 3, at, by: "anna", reason: "fir\u001b[31mst" };
const onTrial = { ...aRoute, version: 4, candidate: aCandidate };
const missing = { status: 404, body: { type: "urn:x", title: "There is no such thing", status: 404, detail: "There is no route." } };
const read = "GET /api/routes/implement";
const write = "PUT /api/routes/implement";

const models = [
  {
    provider: "anthropic",
    model: "claude-sonnet-4-5",
    lifecycle: "deprecated",
    retiresAt: at - 2 * dayMs,
    overdue: true,
    features: {},
    replacement: { provider: "anthropic", model: "new" },
    price: { input: 1, output: 1 },
    source: "provider",
    asOf: at,
  },
  { provider: "anthropic", model: "claude-haiku-4-5", lifecycle: "unknown", overdue: false, features: {}, source: "none" },
];

it("lists routes with their models, and says how to make one when there is none", async () => {
  const context = aCommandContext({
    answers: { "GET /api/routes": { status: 200, body: { items: [aRoute, { ...onTrial, id: "review" }], models } } },
  });
  expect(await runCli(["routes", "list"], context, "1")).toBe(0);
  expect(context.printed.out).toBe(
    `ROUTE      VERSION  MODEL                        ON TRIAL                         FALLBACK  SINCE                 BY    REASON
implement  3        anthropic/claude-sonnet-4-5                                             2026-03-01 12:00:00Z  anna  fir [31mst
review     4        anthropic/claude-sonnet-4-5  anthropic/claude-haiku-4-5 10 %            2026-03-01 12:00:00Z  anna  fir [31mst

MODEL                        LIFECYCLE   RETIRES              REPLACEMENT    PRICED  SAYS      AS OF
anthropic/claude-sonnet-4-5  deprecated  2026-02-27, overdue  anthropic/new  yes     provider  2026-03-01
anthropic/claude-haiku-4-5   unknown                                         no      none
`,
  );
  const withEnd = {
    ...aRoute,
    fallback: [
      { provider: "a", model: "b", until: at },
      { provider: "c", model: "d" },
    ],
  };
  const ending = aCommandContext({ answers: { "GET /api/routes": { status: 200, body: { items: [withEnd], models: [] } } } });
  await runCli(["routes", "list"], ending, "1");
  expect(ending.printed.out).toContain("a/b until 2026-03-01 12:00:00Z, c/d");
  const empty = aCommandContext({ answers: { "GET /api/routes": { status: 200, body: { items: [], models: [] } } } });
  await runCli(["routes", "list"], empty, "1");
  expect(empty.printed.out).toContain("runbookd routes set");
});

describe("setting a route", () => {
  it("makes one that was not there", async () => {
    const context = aCommandContext({ answers: { [read]: missing, [write]: { status: 200, body: { ...aRoute, version: 1 } } } });
    const line = ["routes", "set", "implement", "--to", "openai/org/model", "--fallback", "a/b", "--fallback", "c/d", "--reason", "first"];
    expect(await runCli(line, context, "1")).toBe(0);
    expect(context.requests[1]?.body).toEqual({
      expected: 0,
      reason: "first",
      baseline: { provider: "openai", model: "org/model" },
      candidate: null,
      fallback: [
        { provider: "a", model: "b" },
        { provider: "c", model: "d" },
      ],
    });
    expect(context.printed.out).toBe("Route implement is set: anthropic/claude-sonnet-4-5.\n");
  });

  it("keeps what is not named, and the tickets that are on trial", async () => {
    const context = aCommandContext({ answers: { [read]: { status: 200, body: onTrial }, [write]: { status: 200, body: onTrial } } });
    const grow = ["routes", "set", "implement", "--try", "anthropic/claude-haiku-4-5", "--share", "0.5", "--reason", "more"];
    expect(await runCli(grow, context, "1")).toBe(0);
    expect(context.requests[1]?.body).toEqual({ ...someTargets(), expected: 4, reason: "more", candidate: { ...aCandidate, share: 0.5 } });
    await runCli(["routes", "set", "implement", "--to", "a/b", "--reason", "x"], context, "1");
    expect(context.requests[3]?.body).toMatchObject({ baseline: { provider: "a", model: "b" }, candidate: aCandidate });
    await runCli(["routes", "set", "implement", "--no-trial", "--reason", "worse"], context, "1");
    expect(context.requests[5]?.body).toMatchObject({ ...someTargets(), candidate: null });
  });

  it("gives another model on trial other tickets", async () => {
    const context = aCommandContext({ answers: { [read]: { status: 200, body: onTrial }, [write]: { status: 200, body: onTrial } } });
    await runCli(["routes", "set", "implement", "--try", "openai/gpt-5", "--share", "0.1", "--reason", "other"], context, "1");
    expect(Object(context.requests[1]?.body).candidate.salt).not.toBe(aCandidate.salt);
  });

  it.each([
    ["no reason", ["--to", "a/b"], /--reason/],
    ["a model without a provider", ["--to", "gpt", "--reason", "x"], /<provider>\/<model>/],
    ["a share without a model", ["--share", "0.1", "--reason", "x"], /come together/],
    ["a share of nothing", ["--try", "a/b", "--share", "0", "--reason", "x"], /above 0/],
    ["a share of more than all", ["--try", "a/b", "--share", "1.5", "--reason", "x"], /at most 1/],
    ["a trial that begins and ends", ["--try", "a/b", "--share", "1", "--no-trial", "--reason", "x"], /one of them/],
    ["nothing", ["--reason", "x"], /Nothing is named/],
  ])("refuses %s before it asks anybody", async (_name, args, names) => {
    const context = aCommandContext();
    expect(await runCli(["routes", "set", "implement", ...args], context, "1")).toBe(2);
    expect(context.requests).toEqual([]);
    expect(context.printed.err).toMatch(names);
  });

  it("needs a model for a route that is not there", async () => {
    const context = aCommandContext({ answers: { [read]: missing } });
    expect(await runCli(["routes", "set", "implement", "--fallback", "a/b", "--reason", "x"], context, "1")).toBe(2);
    expect(context.printed.err).toContain("--to says");
  });
});
