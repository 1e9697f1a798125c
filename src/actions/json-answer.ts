import type { z } from "zod";
import { StepFailure } from "../core/failure.ts";
import { failureOfStatus } from "./failure-of-status.ts";
import type { HttpAnswer } from "./http-port.ts";

/** What was asked. */
export interface AskedSystem {
  /** As a sentence begins with it, e.g. `Unleash`. */
  readonly name: string;
  /** The request changes nothing there, so that a failure is certain to have applied nothing. */
  readonly reads: boolean;
}

/** An answer; `truncated`: its body was longer than its sender reads. */
export type ReceivedAnswer = HttpAnswer & { readonly truncated?: boolean };

/**
 * The body of a 2xx answer in its shape. Throws StepFailure otherwise: what the status says of the effect, or `not_reachable` (of a change
 * `unknown_outcome`) for a body of another shape. No text of the answer becomes part of the message.
 */
export function jsonOf<Value>(answer: ReceivedAnswer, shape: z.ZodType<Value>, { name, reads }: AskedSystem): Value {
  if (answer.kind === "failed") throw new StepFailure({ ...answer.failure, message: `${name}: ${answer.failure.message}` });
  const { status, retryAfterMs } = answer;
  if (status < 200 || status >= 300) {
    const later = retryAfterMs === undefined ? {} : { retryAfterMs };
    throw new StepFailure(failureOfStatus(status, { read: reads, expected: "200", target: name, ...later }));
  }
  const value = bodyOf(answer, shape);
  if (value !== undefined) return value;
  throw new StepFailure({
    reason: reads ? "not_reachable" : "unknown_outcome",
    message: `${name} answered ${status} with a body that cannot be used${answer.truncated === true ? ": it is too long" : ""}. Is its address right?`,
    applied: reads ? "no" : "unknown",
  });
}

/** The body of any answer in its shape; undefined when it has another one. */
export function bodyOf<Value>(answer: ReceivedAnswer, shape: z.ZodType<Value>): Value | undefined {
  if (answer.kind === "failed" || answer.truncated === true) return undefined;
  try {
    return shape.safeParse(JSON.parse(answer.body)).data;
  } catch {
    return undefined;
  }
}
