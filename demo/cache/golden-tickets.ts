import { createServer, type Server } from "node:http";
import { z } from "zod";
import type { PromptApplication } from "./prompt-application.ts";

/** Which versions are compared on how many tickets. */
const wantedSchema = z.object({ baseline: z.int(), candidate: z.int(), tickets: z.int().min(1).max(1000) });

const side = z.object({ quality: z.number(), costMicroUsd: z.number() });

type Evaluation =
  | { readonly state: "running"; readonly done: number; readonly of: number }
  | {
      readonly state: "done";
      readonly pairs: readonly {
        readonly ticketId: string;
        readonly baseline: z.output<typeof side>;
        readonly candidate: z.output<typeof side>;
      }[];
    }
  | { readonly state: "failed"; readonly reason: string };

/** Tickets that are worked on at once in an evaluation. */
const atOnce = 8;

/** Micro-USD of one input character, near enough for a comparison that is not about cost. */
const perCharacter = 1;

/** The n-th golden ticket, from 0. */
export function goldenTicket(index: number): string {
  return `GOLDEN-${index + 1}`;
}

/**
 * The application's evaluator: works on golden tickets with two versions and publishes nothing. An answer is as good as the baseline's when it is the same.
 * `POST /evaluations` and `GET /evaluations/{id}`; the same Idempotency-Key is the same evaluation.
 */
export function createEvaluator(application: PromptApplication, signal: AbortSignal): Server {
  const evaluations = new Map<string, Evaluation>();

  const evaluate = async (id: string, { baseline, candidate, tickets }: z.output<typeof wantedSchema>): Promise<void> => {
    const pairs: Extract<Evaluation, { state: "done" }>["pairs"][number][] = [];
    const waiting = Array.from({ length: tickets }, (_, index) => goldenTicket(index));
    const one = async (): Promise<void> => {
      for (let ticketId = waiting.shift(); ticketId !== undefined; ticketId = waiting.shift()) {
        const old = await application.tryOut(ticketId, baseline, signal);
        const fresh = await application.tryOut(ticketId, candidate, signal);
        const isSame = old.answers !== undefined && old.answers === fresh.answers;
        pairs.push({
          ticketId,
          baseline: { quality: 1, costMicroUsd: old.inputTokens * perCharacter },
          candidate: { quality: isSame ? 1 : 0, costMicroUsd: fresh.inputTokens * perCharacter },
        });
        evaluations.set(id, { state: "running", done: pairs.length, of: tickets });
      }
    };
    await Promise.all(Array.from({ length: atOnce }, one));
    evaluations.set(id, { state: "done", pairs });
  };

  return createServer((request, response) => {
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (request.method === "GET") {
      const evaluation = evaluations.get(decodeURIComponent(request.url?.split("/").at(-1) ?? ""));
      return answer(evaluation === undefined ? 404 : 200, evaluation ?? {});
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const wanted = wantedSchema.safeParse(JSON.parse(Buffer.concat(chunks).toString("utf8")));
      const key = request.headers["idempotency-key"];
      if (!wanted.success || typeof key !== "string") return answer(400, {});
      if (!evaluations.has(key)) {
        evaluations.set(key, { state: "running", done: 0, of: wanted.data.tickets });
        evaluate(key, wanted.data).catch((error: unknown) => {
          evaluations.set(key, { state: "failed", reason: error instanceof Error ? error.message : "unknown" });
        });
      }
      return answer(200, { id: key });
    });
  });
}
