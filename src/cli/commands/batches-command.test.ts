import { expect, it } from "@jest/globals";
import { aBatchView } from "../../../test/builders/a-batch.ts";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";

const progress = { tickets: 10, ended: 7, perMinute: 12, etaAt: Date.UTC(2026, 0, 31, 6, 30), forecastMicroUsd: 2_000_000 };
const batch = aBatchView({ queue: "default", spentMicroUsd: 1_250_000, counts: { queued: 3, succeeded: 7 }, progress });

it("lists batches with what they cost and their tickets by state", async () => {
  const context = aCommandContext({ answers: { "GET /api/batches": { status: 200, body: { items: [batch] } } } });
  expect(await runCli(["batches", "list"], context, "1")).toBe(0);
  expect(context.printed.out).toContain("nightly  checkout  default  open   $1.25  3 queued, 7 succeeded");
});

it("shows one batch", async () => {
  const context = aCommandContext({ answers: { "GET /api/batches/nightly": { status: 200, body: batch } } });
  expect(await runCli(["batches", "show", "nightly", "--json"], context, "1")).toBe(0);
  expect(JSON.parse(context.printed.out)).toMatchObject(batch);
});

it.each([
  ["pause", { gate: "paused" }, "paused"],
  ["resume", { gate: "open" }, "open"],
  ["cancel", { state: "cancelled" }, "cancelled"],
])("can %s a batch", async (verb, change, word) => {
  const context = aCommandContext({ answers: { [`POST /api/batches/nightly/${verb}`]: { status: 200, body: { ...batch, ...change } } } });
  expect(await runCli(["batches", verb, "nightly", "--reason", "a test"], context, "1")).toBe(0);
  expect(context.requests[0]?.body).toEqual({ reason: "a test" });
  expect(context.printed.out).toBe(`nightly is ${word}.\n`);
});

const through = aBatchView({
  queue: "default",
  state: "done",
  spentMicroUsd: 1_250_000,
  counts: { queued: 0, succeeded: 10 },
  progress: { ...progress, ended: 10 },
});

it("follows a batch to its end, with a bar on a terminal and a line per change elsewhere", async () => {
  for (const isTerminal of [true, false]) {
    const answers = [batch, batch, through];
    const context = aCommandContext({ isTerminal });
    const fetch = async () => Response.json(answers.shift());
    const clock = { ...context.clock, sleep: async () => undefined, now: () => Date.UTC(2026, 0, 31, 6) };
    expect(await runCli(["batches", "show", "nightly", "--follow"], { ...context, fetch, clock }, "1")).toBe(0);
    const first = "7/10 · open · 12.0/min · ETA 06:30 (30 min) · $1.25 of ~$2.00 · 3 queued, 7 succeeded";
    const last = "10/10 · done · 12.0/min · $1.25 of ~$2.00 · 10 succeeded";
    const bar = (full: number, line: string) => `\r\u001B[2K[${"#".repeat(full)}${".".repeat(24 - full)}] ${line}`;
    expect(context.printed.out).toBe(isTerminal ? `${bar(16, first)}${bar(16, first)}${bar(24, last)}\n` : `${first}\n${last}\n`);
  }
});

it("says why a batch has stopped", async () => {
  const stopped = { ...batch, stop: { hold: "batch_failures", detail: "5 of 20 tickets were not successful." } };
  const context = aCommandContext({ answers: { "GET /api/batches/nightly": { status: 200, body: stopped } } });
  await runCli(["batches", "show", "nightly"], context, "1");
  expect(context.printed.out).toContain("7/10 · stopped · ");
  expect(context.printed.out).toContain("5 of 20 tickets were not successful.");
});

it("sets the limits that are named, from the version that was read", async () => {
  // A limit that only a newer server knows comes back as it was read.
  const body = { ...batch, version: 3, limits: { ...batch.limits, concurrency: 8, maxRetries: 2 } };
  const context = aCommandContext({
    answers: { "GET /api/batches/nightly": { status: 200, body }, "PATCH /api/batches/nightly": { status: 200, body } },
  });
  expect(await runCli(["batches", "limits", "nightly", "--max-failure-ratio", "0.5", "--max-cost-usd", "1.5"], context, "1")).toBe(0);
  expect(context.requests[1]?.body).toEqual({ limits: { ...body.limits, maxCostMicroUsd: 1_500_000, maxFailureRatio: 0.5 }, version: 3 });
  expect(await runCli(["batches", "limits", "nightly"], context, "1")).toBe(2);
  expect(await runCli(["batches", "limits", "nightly", "--concurrency", "many"], context, "1")).toBe(2);
});

it("answers 1 when there is no such batch", async () => {
  const problem = { type: "urn:x", title: "There is no such thing", status: 404, detail: "GET /api/batches lists them." };
  const context = aCommandContext({ answers: { "GET /api/batches/none": { status: 404, body: problem } } });
  expect(await runCli(["batches", "show", "none"], context, "1")).toBe(1);
});
