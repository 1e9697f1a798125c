import { z } from "zod";
import { failureOfStatus } from "../../actions/failure-of-status.ts";
import { StepFailure } from "../../core/failure.ts";
import type { PromptEvaluator } from "../../llm/prompts/prompt-evaluator.ts";
import type { BoundedAnswer, BoundedSender } from "../../platform/requests/bounded-request.ts";

const side = z.object({ quality: z.number().min(0).max(1), costMicroUsd: z.number().min(0) });

const stateSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("running"), done: z.int().min(0), of: z.int().min(0) }),
  z.object({
    state: z.literal("done"),
    pairs: z.array(z.object({ ticketId: z.string().max(128), baseline: side, candidate: side })).max(1000),
  }),
  z.object({ state: z.literal("failed"), reason: z.string().max(500) }),
]);

const idSchema = z.object({ id: z.string().regex(/^[\w.-]{1,128}$/) });

/**
 * The application's own evaluator over HTTP: `POST <url>` `{prompt, baseline, candidate, tickets}` with `Idempotency-Key` answers `{id}`; `GET <url>/<id>` answers
 * `{state: "running", done, of}`, `{state: "done", pairs}` or `{state: "failed", reason}`. Only it can work on a ticket without publishing.
 */
export function createPromptEvaluator(
  sender: BoundedSender,
  { url, headers }: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
): PromptEvaluator {
  return {
    async start(wanted, key, signal) {
      const answer = await sender.send({
        method: "POST",
        url,
        headers: { ...headers, "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify(wanted),
        signal,
      });
      return readAnswer(answer, idSchema, false);
    },
    async read(id, signal) {
      const answer = await sender.send({ method: "GET", url: `${url}/${encodeURIComponent(id)}`, headers, signal });
      const state = readAnswer(answer, stateSchema, true);
      switch (state.state) {
        case "running":
          return { kind: "running", done: state.done, of: state.of };
        case "done":
          return { kind: "done", pairs: state.pairs };
        case "failed":
          return { kind: "failed", reason: state.reason };
      }
    },
  };
}

function readAnswer<Value>(answer: BoundedAnswer, shape: z.ZodType<Value>, read: boolean): Value {
  if (answer.kind === "failed") throw new StepFailure(answer.failure);
  const { status, body, truncated } = answer;
  if (status >= 200 && status < 300) {
    const parsed = truncated ? undefined : shape.safeParse(parseJson(body));
    if (parsed?.success === true) return parsed.data;
    throw new StepFailure({
      reason: "unknown_outcome",
      message: `The evaluator answered ${status} with a body that cannot be used${truncated ? ": it is too long" : ""}.`,
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
