import { z } from "zod";
import { failureOfStatus } from "../../actions/failure-of-status.ts";
import { StepFailure } from "../../core/failure.ts";
import type { EvaluationRequest, EvaluationState, Evaluator } from "../../llm/rollouts/evaluator.ts";
import type { BoundedAnswer, BoundedSender } from "../../platform/requests/bounded-request.ts";

// Amounts are only read here: what is wrong with a pair is told by its ticket, in src/llm/rollouts/check-pairs.ts.
const side = z.object({
  quality: z.number(),
  costMicroUsd: z.number(),
  coldCostMicroUsd: z.number().exactOptional(),
  latencyMs: z.number().exactOptional(),
  refused: z.boolean().exactOptional(),
  failed: z.boolean().exactOptional(),
});
const cost = z.number().min(0).exactOptional();
const pairs = z.array(z.object({ ticketId: z.string().max(128), baseline: side, candidate: side })).max(1000);

const stateSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("running"), done: z.int().min(0), of: z.int().min(0), costMicroUsd: cost }),
  z.object({ state: z.literal("done"), pairs, costMicroUsd: cost }),
  z.object({ state: z.literal("stopped"), pairs, costMicroUsd: cost }),
  z.object({ state: z.literal("failed"), reason: z.string().max(500) }),
]);

const idSchema = z.object({ id: z.string().regex(/^[\w.-]{1,128}$/) });

/**
 * The application's own evaluator over HTTP; docs/evaluation.md has the shapes. `POST <url>` with `Idempotency-Key` starts an evaluation, `GET <url>/<id>` says
 * how far it is, `DELETE <url>/<id>` ends it. Only the application can work on a ticket without publishing.
 */
export function createHttpEvaluator(
  sender: BoundedSender,
  { url, headers }: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
): Evaluator {
  const addressOf = (id: string) => `${url}/${encodeURIComponent(id)}`;
  return {
    async start(request, key, signal) {
      const answer = await sender.send({
        method: "POST",
        url,
        headers: { ...headers, "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify(bodyOf(request)),
        signal,
      });
      return readAnswer(answer, idSchema, false);
    },
    async read(id, signal) {
      const answer = await sender.send({ method: "GET", url: addressOf(id), headers, signal });
      return stateOf(readAnswer(answer, stateSchema, true));
    },
    async stop(id, signal) {
      const answer = await sender.send({ method: "DELETE", url: addressOf(id), headers, signal });
      if (answer.kind === "failed") throw new StepFailure(answer.failure);
      // 404 and 405: it has ended, or the evaluator cannot be told; it knows the limit of cost itself.
      if (answer.status < 300 || answer.status === 404 || answer.status === 405) return;
      throw new StepFailure(failureOfStatus(answer.status, { read: false, expected: "2xx" }));
    },
  };
}

function stateOf(answer: z.output<typeof stateSchema>): EvaluationState {
  switch (answer.state) {
    case "running":
      return { kind: "running", done: answer.done, of: answer.of, ...costOf(answer) };
    case "done":
    case "stopped":
      return { kind: answer.state, pairs: answer.pairs, ...costOf(answer) };
    case "failed":
      return { kind: "failed", reason: answer.reason };
  }
}

function costOf({ costMicroUsd }: { readonly costMicroUsd?: number }) {
  return costMicroUsd === undefined ? {} : { costMicroUsd };
}

/** What is sent: for prompts the four members that evaluators of prompts have always been sent. */
function bodyOf({ subject, tickets, ticketIds, maxMicroUsd }: EvaluationRequest) {
  const { from: baseline, to: candidate } = subject;
  const limits = { tickets, ...(ticketIds !== undefined && { ticketIds }), ...(maxMicroUsd !== undefined && { maxMicroUsd }) };
  if (subject.kind === "prompt") return { prompt: subject.prompt, baseline, candidate, ...limits };
  return { kind: "model", route: subject.route, baseline, candidate, ...limits };
}

function readAnswer<Value>(answer: BoundedAnswer, shape: z.ZodType<Value>, read: boolean): Value {
  if (answer.kind === "failed") throw new StepFailure(answer.failure);
  const { status, body, truncated } = answer;
  if (status >= 200 && status < 300) {
    const parsed = truncated ? undefined : shape.safeParse(parseJson(body));
    if (parsed?.success === true) return parsed.data;
    const [issue] = parsed?.error.issues ?? [];
    const where = issue === undefined || issue.path.length === 0 ? "" : ` (${issue.path.map(String).join(".")}: ${issue.message})`;
    throw new StepFailure({
      reason: "unknown_outcome",
      message: `The evaluator answered ${status} with a body that cannot be used${truncated ? ": it is too long" : where}.`,
      applied: "unknown",
    });
  }
  throw new StepFailure(
    failureOfStatus(status, {
      read,
      expected: "200",
      ...(answer.retryAfterMs !== undefined && { retryAfterMs: answer.retryAfterMs }),
    }),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
