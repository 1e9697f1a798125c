import { expect, it } from "@jest/globals";
import { aCommandContext } from "../../testing/command-context.ts";
import { runCli } from "../run-cli.ts";

const batch = {
  id: "nightly",
  budget: "checkout",
  queue: "default",
  gate: "open",
  reason: "",
  spentMicroUsd: 1_250_000,
  counts: { queued: 3, running: 0, succeeded: 7 },
};

it("lists batches with what they cost and their tickets by state", async () => {
  const context = aCommandContext({ answers: { "GET /api/batches": { status: 200, body: { items: [batch] } } } });
  expect(await runCli(["batches", "list"], context, "1")).toBe(0);
  expect(context.printed.out).toContain("nightly  checkout  default  open  $1.25  3 queued, 7 succeeded");
});

it("shows one batch", async () => {
  const context = aCommandContext({ answers: { "GET /api/batches/nightly": { status: 200, body: batch } } });
  expect(await runCli(["batches", "show", "nightly", "--json"], context, "1")).toBe(0);
  expect(JSON.parse(context.printed.out)).toEqual(batch);
});

it.each([
  ["pause", "paused"],
  ["resume", "open"],
])("can %s a batch's own gate", async (verb, gate) => {
  const context = aCommandContext({ answers: { "PATCH /api/batches/nightly": { status: 200, body: { ...batch, gate } } } });
  expect(await runCli(["batches", verb, "nightly", "--reason", "a test"], context, "1")).toBe(0);
  expect(context.requests[0]?.body).toEqual({ gate, reason: "a test" });
  expect(context.printed.out).toBe(`The gate of nightly is ${gate}.\n`);
});

it("answers 1 when there is no such batch", async () => {
  const problem = { type: "urn:x", title: "There is no such thing", status: 404, detail: "GET /api/batches lists them." };
  const context = aCommandContext({ answers: { "GET /api/batches/none": { status: 404, body: problem } } });
  expect(await runCli(["batches", "show", "none"], context, "1")).toBe(1);
});
