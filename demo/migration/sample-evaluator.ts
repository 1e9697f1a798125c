import { createServer, type Server } from "node:http";
import { z } from "zod";
import { modelRefSchema } from "../../packages/sdk/src/wire/routing.ts";
import type { RoutedApplication, TriedTicket } from "./routed-application.ts";

/** Which models are compared, on which past tickets. */
const wantedSchema = z.looseObject({
  kind: z.literal("model"),
  baseline: modelRefSchema,
  candidate: modelRefSchema,
  tickets: z.int().min(1).max(1000),
  ticketIds: z.array(z.string()).max(1000).optional(),
  maxMicroUsd: z.number().optional(),
});

interface Side {
  readonly quality: number;
  readonly costMicroUsd: number;
  readonly latencyMs: number;
}

interface Pair {
  readonly ticketId: string;
  readonly baseline: Side;
  readonly candidate: Side;
}

type State = { readonly costMicroUsd: number } & (
  | { readonly state: "running"; readonly done: number; readonly of: number }
  | { readonly state: "done" | "stopped"; readonly pairs: readonly Pair[] }
  | { readonly state: "failed"; readonly reason: string }
);

/** Tickets that are worked on at once in an evaluation. */
const atOnce = 8;

/**
 * The application's evaluator: works on past tickets with two models and publishes nothing. `POST /evaluations`, `GET /evaluations/{id}` and
 * `DELETE /evaluations/{id}`; the same Idempotency-Key is the same evaluation.
 */
export function createSampleEvaluator(application: Pick<RoutedApplication, "tryOut">, signal: AbortSignal): Server {
  const evaluations = new Map<string, State>();
  const stopped = new Set<string>();

  const evaluate = async (
    id: string,
    { baseline: from, candidate: to, tickets, ticketIds, maxMicroUsd }: z.output<typeof wantedSchema>,
  ): Promise<void> => {
    const pairs: Pair[] = [];
    let costMicroUsd = 0;
    const waiting = [...(ticketIds ?? Array.from({ length: tickets }, (_, index) => `PAST-${index + 1}`))];
    const mayGoOn = () => !stopped.has(id) && costMicroUsd <= (maxMicroUsd ?? Number.POSITIVE_INFINITY);
    const one = async (): Promise<void> => {
      for (let ticketId = waiting.shift(); ticketId !== undefined && mayGoOn(); ticketId = waiting.shift()) {
        const baseline = await application.tryOut(ticketId, from, signal);
        const candidate = await application.tryOut(ticketId, to, signal);
        costMicroUsd += baseline.costMicroUsd + candidate.costMicroUsd;
        pairs.push({ ticketId, baseline: sideOf(baseline), candidate: sideOf(candidate) });
        evaluations.set(id, { state: "running", done: pairs.length, of: tickets, costMicroUsd });
      }
    };
    await Promise.all(Array.from({ length: atOnce }, one));
    evaluations.set(id, { state: mayGoOn() ? "done" : "stopped", pairs, costMicroUsd });
  };

  return createServer((request, response) => {
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    const id = decodeURIComponent(request.url?.split("/").at(-1) ?? "");
    if (request.method === "DELETE") {
      stopped.add(id);
      return answer(evaluations.has(id) ? 200 : 404, {});
    }
    if (request.method === "GET") {
      const evaluation = evaluations.get(id);
      return answer(evaluation === undefined ? 404 : 200, evaluation ?? {});
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const wanted = wantedSchema.safeParse(JSON.parse(Buffer.concat(chunks).toString("utf8")));
      const key = request.headers["idempotency-key"];
      if (!wanted.success || typeof key !== "string") return answer(400, {});
      if (!evaluations.has(key)) {
        evaluations.set(key, { state: "running", done: 0, of: wanted.data.tickets, costMicroUsd: 0 });
        evaluate(key, wanted.data).catch((error: unknown) => {
          const reason = error instanceof Error ? error.message : "unknown";
          evaluations.set(key, { state: "failed", reason, costMicroUsd: 0 });
        });
      }
      return answer(200, { id: key });
    });
  });
}

function sideOf({ succeeded, costMicroUsd, latencyMs }: TriedTicket): Side {
  return { quality: succeeded ? 1 : 0, costMicroUsd, latencyMs };
}
