import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createEvaluator } from "../../../demo/cache/golden-tickets.ts";
import { createSystemClock } from "../../core/clock.ts";
import { type BoundedSender, createBoundedSender, defaultRequestLimits } from "../../platform/requests/bounded-request.ts";
import { createPromptEvaluator } from "./create-prompt-evaluator.ts";

const wanted = { prompt: "implement", baseline: 1, candidate: 2, tickets: 5 };
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

async function listen(candidate: Server): Promise<ReturnType<typeof createPromptEvaluator>> {
  server = candidate;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return createPromptEvaluator(sender, { url: `http://127.0.0.1:${port}/evaluations`, headers: { authorization: "Bearer x" } });
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

  it("does not take a page for an answer", async () => {
    const evaluator = await listen(answering(200, "<html>"));
    await expect(evaluator.read("a", never)).rejects.toMatchObject({ failure: { message: expect.stringContaining("cannot be used") } });
    server?.closeAllConnections();
    server?.close();
    const failing = await listen(answering(200, JSON.stringify({ state: "failed", reason: "no golden tickets" })));
    expect(await failing.read("a", never)).toEqual({ kind: "failed", reason: "no golden tickets" });
  });
});
