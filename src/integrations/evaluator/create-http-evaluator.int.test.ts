import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createEvaluator } from "../../../demo/cache/golden-tickets.ts";
import { createSystemClock } from "../../core/clock.ts";
import { type BoundedSender, createBoundedSender, defaultRequestLimits } from "../../platform/requests/bounded-request.ts";
import { createHttpEvaluator } from "./create-http-evaluator.ts";

const wanted = { subject: { kind: "prompt", prompt: "implement", from: 1, to: 2 }, tickets: 5 } as const;
const models = {
  subject: {
    kind: "model",
    route: "implement",
    from: { provider: "anthropic", model: "old" },
    to: { provider: "anthropic", model: "new" },
  },
  tickets: 2,
  ticketIds: ["T-1", "T-2"],
  maxMicroUsd: 5_000_000,
} as const;
const never = new AbortController().signal;

let sender: BoundedSender;
let server: Server | undefined;

beforeEach(() => {
  sender = createBoundedSender(defaultRequestLimits, { clock: createSystemClock() });
});
afterEach(async () => {
  await sender.close();
  server?.closeAllConnections();
  server?.close();
});

async function listen(candidate: Server): Promise<ReturnType<typeof createHttpEvaluator>> {
  server = candidate;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return createHttpEvaluator(sender, { url: `http://127.0.0.1:${port}/evaluations`, headers: { authorization: "Bearer x" } });
}

async function recording(answers: readonly unknown[], status = 200) {
  const received: { readonly line: string; readonly key?: string; readonly body?: unknown }[] = [];
  const evaluator = await listen(
    createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const key = request.headers["idempotency-key"];
        const answer = answers[received.length];
        received.push({
          line: `${request.method} ${request.url}`,
          ...(typeof key === "string" && { key }),
          ...(text !== "" && { body: JSON.parse(text) }),
        });
        response.writeHead(status).end(answer === "" ? "" : JSON.stringify(answer));
      });
    }),
  );
  return { evaluator, received };
}

const answering = (status: number, body: string, headers: Record<string, string> = {}) =>
  createServer((_request, response) => response.writeHead(status, headers).end(body));

describe("an evaluator over HTTP", () => {
  it("starts one evaluation per key, and its pairs come when they are there", async () => {
    const tried: string[] = [];
    const evaluator = await listen(
      createEvaluator(
        {
          work: async () => ({ ticketId: "", version: 1, variant: "baseline", inputTokens: 1 }),
          async tryOut(ticketId, version) {
            tried.push(`${ticketId} ${version}`);
            return { ticketId, version, variant: "baseline", answers: ticketId === "GOLDEN-1" ? String(version) : "same", inputTokens: 10 };
          },
        },
        never,
      ),
    );
    const { id } = await evaluator.start(wanted, "key-1", never);
    expect(await evaluator.start(wanted, "key-1", never)).toEqual({ id });
    let state = await evaluator.read(id, never);
    while (state.kind === "running") state = await evaluator.read(id, never);
    if (state.kind !== "done") throw new Error("It failed.");
    expect(state.pairs.map(({ candidate }) => candidate.quality).toSorted((a, b) => a - b)).toEqual([0, 1, 1, 1, 1]);
    expect(tried).toHaveLength(10);
  });

  it.each([
    [429, { reason: "overloaded", applied: "no" }],
    [503, { reason: "overloaded", applied: "no" }],
    [403, { reason: "refused_by_target", applied: "no" }],
    [500, { reason: "unknown_outcome", applied: "unknown" }],
  ])("tells what %d means for the start", async (status, failure) => {
    const evaluator = await listen(answering(status, ""));
    await expect(evaluator.start(wanted, "k", never)).rejects.toMatchObject({ failure });
  });

  it.each([
    ["prompts, as it always was", wanted, { prompt: "implement", baseline: 1, candidate: 2, tickets: 5 }],
    [
      "models",
      models,
      {
        kind: "model",
        route: "implement",
        baseline: { provider: "anthropic", model: "old" },
        candidate: { provider: "anthropic", model: "new" },
        tickets: 2,
        ticketIds: ["T-1", "T-2"],
        maxMicroUsd: 5_000_000,
      },
    ],
  ])("is sent %s", async (_what, request, body) => {
    const { evaluator, received } = await recording([{ id: "e-1" }]);
    expect(await evaluator.start(request, "key-1", never)).toEqual({ id: "e-1" });
    expect(received).toEqual([{ line: "POST /evaluations", key: "key-1", body }]);
  });

  it("tells all that it knows of a pair, what it has cost, and that it has stopped", async () => {
    const side = { quality: 0.5, costMicroUsd: 7, coldCostMicroUsd: 3, latencyMs: 12.5, refused: true, failed: false };
    const pairs = [{ ticketId: "T-1", baseline: { quality: 7, costMicroUsd: -1 }, candidate: { ...side, more: "of it" } }];
    const { evaluator } = await recording([
      { state: "running", done: 1, of: 2, costMicroUsd: 4 },
      { state: "stopped", pairs, costMicroUsd: 9 },
      { state: "done", pairs: [] },
    ]);
    expect(await evaluator.read("e-1", never)).toEqual({ kind: "running", done: 1, of: 2, costMicroUsd: 4 });
    // What is wrong with a pair is told by its ticket, and not by the adapter.
    expect(await evaluator.read("e-1", never)).toEqual({ kind: "stopped", pairs: [{ ...pairs[0], candidate: side }], costMicroUsd: 9 });
    expect(await evaluator.read("e-1", never)).toEqual({ kind: "done", pairs: [] });
  });

  it("names the first member that cannot be read, such as the null that NaN becomes", async () => {
    const pairs = [{ ticketId: "T-1", baseline: { quality: null, costMicroUsd: 1 }, candidate: { quality: 1, costMicroUsd: 1 } }];
    const { evaluator } = await recording([{ state: "done", pairs }]);
    await expect(evaluator.read("e-1", never)).rejects.toMatchObject({
      failure: { message: expect.stringContaining("pairs.0.baseline.quality") },
    });
  });

  it.each([204, 404, 405])("is told to stop, and %d is an answer to that", async (status) => {
    const { evaluator, received } = await recording([""], status);
    await evaluator.stop("e/1", never);
    expect(received).toMatchObject([{ line: "DELETE /evaluations/e%2F1" }]);
  });

  it("is not taken to have stopped when it says no", async () => {
    const { evaluator } = await recording([""], 500);
    await expect(evaluator.stop("e-1", never)).rejects.toMatchObject({ failure: { reason: "unknown_outcome" } });
  });

  it("does not take a page for an answer", async () => {
    const evaluator = await listen(answering(200, "<html>"));
    await expect(evaluator.read("a", never)).rejects.toMatchObject({ failure: { message: expect.stringContaining("cannot be used") } });
    server?.closeAllConnections();
    server?.close();
    const failing = await listen(answering(200, JSON.stringify({ state: "failed", reason: "no golden tickets" })));
    expect(await failing.read("a", never)).toEqual({ kind: "failed", reason: "no golden tickets" });
  });
});
