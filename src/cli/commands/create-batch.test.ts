import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { aBatchView } from "../../../test/builders/a-batch.ts";
import { aCommandContext, type ScriptedAnswers } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rb-batch-"));
  await writeFile(join(folder, "good.csv"), "ref,kind\na#1,bug\na#2,bug\n");
  await writeFile(join(folder, "windows-1252.csv"), Buffer.from("ref,title\na#1,caf\u00e9\n", "latin1"));
  await writeFile(join(folder, "bad.csv"), "ref,kind\na 1,Bug\na#2,bug\na#2,bug\n");
});
afterAll(async () => rm(folder, { recursive: true }));

const batch = aBatchView({ id: "b", state: "draft" });
const kinds = [{ kind: "bug", tickets: 2, p50MicroUsd: 250_000, p90MicroUsd: 1_000_000, n: 3, from: "prior" }];
const quote = {
  estimate: { tickets: 2, p50MicroUsd: 500_000, p90MicroUsd: 2_000_000, kinds },
  room: { fits: true, arithmetic: "$0.00 spent + … within the limit $50.00.", shareOfRemaining: 0.04 },
};
const answers: ScriptedAnswers = {
  "POST /api/batches/references": { status: 200, body: { items: [] } },
  "POST /api/batches": { status: 201, body: batch },
  "POST /api/batches/b/tickets": { status: 200, body: { added: 2 } },
  "GET /api/batches/b/estimate": { status: 200, body: quote },
  "POST /api/batches/b/submit": { status: 202, body: batch },
};
const run = async (args: readonly string[], change: ScriptedAnswers = {}) => {
  const context = aCommandContext({ workingDirectory: folder, answers: { ...answers, ...change } });
  const code = await runCli(["batches", "create", ...args], context, "1");
  return {
    code,
    ...context.printed,
    asked: context.requests.map(({ method, url }) => `${method} ${new URL(url).pathname}`),
    requests: context.requests,
  };
};

it("hands a good file in, shows what it will cost, and submits it", async () => {
  const { code, out, asked, requests } = await run([
    "good.csv",
    "--id",
    "b",
    "--budget",
    "checkout",
    "--max-cost-usd",
    "1.5",
    "--concurrency",
    "4",
  ]);
  expect(code).toBe(0);
  expect(asked).toEqual(Object.keys(answers));
  expect(requests[1]?.body).toMatchObject({
    id: "b",
    budget: "checkout",
    draft: true,
    limits: { maxCostMicroUsd: 1_500_000, concurrency: 4, deadlineAt: null },
  });
  expect(requests[2]?.body).toEqual({
    tickets: ["a#1", "a#2"].map((externalRef) => ({ id: `b/${externalRef}`, externalRef, kind: "bug", payload: {} })),
  });
  expect(out).toContain("bug   2        $0.25  $1.00  assumed (3 seen)");
  expect(out).toContain("within the limit $50.00.");
});

it("joins what was handed in before, and estimates nothing again", async () => {
  const joined = { "POST /api/batches": { status: 201, body: { ...batch, state: "open" } } };
  const { code, out, asked } = await run(["good.csv", "--id", "b", "--budget", "checkout"], joined);
  expect({ code, out }).toEqual({ code: 0, out: "b was handed in before, with the same tickets; it is open.\n" });
  expect(asked.at(-1)).toBe("POST /api/batches/b/tickets");
});

it("leaves a draft when it is asked to", async () => {
  const { asked, out } = await run(["good.csv", "--id", "b", "--budget", "checkout", "--draft"]);
  expect(asked).not.toContain("POST /api/batches/b/submit");
  expect(out).toContain("b is a draft");
});

it("tells every fault with file, line and column, and sends nothing", async () => {
  const { code, err, asked } = await run(["bad.csv", "--id", "b", "--budget", "checkout"]);
  expect(code).toBe(1);
  expect(err).toBe(
    [
      "bad.csv:2:1: `ref` must be an id of 1 to 128 letters, digits and . : / # @ = + - _.",
      "bad.csv:2:5: `kind` must be a kind of 1 to 40 letters a-z, digits and -.",
      "bad.csv:4:1: The reference a#2 stands in line 3 already.",
      "3 faults; nothing was submitted.\n",
    ].join("\n"),
  );
  expect(asked).toEqual([]);
});

it("tells which references belong to tickets of another batch, and creates nothing; its own are no fault", async () => {
  const items = [
    { reference: "a#2", ticketId: "older/a#2", state: "running" },
    { reference: "a#1", ticketId: "b/a#1", state: "queued" },
  ];
  const { code, err, asked } = await run(["good.csv", "--id", "b", "--budget", "checkout"], {
    "POST /api/batches/references": { status: 200, body: { items } },
  });
  expect(code).toBe(1);
  expect(err).toContain("good.csv:3:1: The reference a#2 belongs to ticket older/a#2, which is running.");
  expect(asked).toEqual(["POST /api/batches/references"]);
});

it("shows the arithmetic when the budget has no room", async () => {
  const detail = "The budget has no room for it: $20.00 spent + …";
  const { code, err } = await run(["good.csv", "--id", "b", "--budget", "checkout"], {
    "POST /api/batches/b/submit": { status: 409, body: { type: "urn:x", title: "No", status: 409, detail } },
  });
  expect(code).toBe(1);
  expect(err).toContain(detail);
});

it("answers 2 with every wrong option at once", async () => {
  const { code, err, asked } = await run(["good.csv", "--max-cost-usd", "much", "--deadline", "soon"]);
  expect(code).toBe(2);
  expect(err.split("\n").map((line) => line.split(" ")[0])).toEqual(["--max-cost-usd", "--deadline", "--id", "--budget", ""]);
  expect(asked).toEqual([]);
});

it("only proves the file with --check", async () => {
  expect(await run(["good.csv", "--id", "b", "--budget", "checkout", "--check"])).toMatchObject({
    code: 0,
    out: "2 tickets, no faults.\n",
    asked: [],
  });
});

it("refuses a file that is not UTF-8 at its first wrong byte, and sends nothing", async () => {
  const { code, err, asked } = await run(["windows-1252.csv", "--id", "b", "--budget", "checkout"]);
  expect([code, asked]).toEqual([1, []]);
  expect(err).toMatch(/^windows-1252\.csv:2:8: The byte 0xe9 is no UTF-8\./);
});
