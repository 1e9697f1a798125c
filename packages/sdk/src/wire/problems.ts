import { z } from "zod";
import type { Shape } from "./shape.ts";

/** Every kind of error answer: HTTP status and title by stable name. Renaming one breaks clients. */
export const problems = {
  "malformed-body": { status: 400, title: "The body cannot be read" },
  "invalid-request": { status: 400, title: "The request does not fit what is accepted" },
  unauthenticated: { status: 401, title: "A valid token is needed" },
  forbidden: { status: 403, title: "This role may not do this" },
  "not-found": { status: 404, title: "There is no such thing" },
  "method-not-allowed": { status: 405, title: "This method is not accepted here" },
  "request-timeout": { status: 408, title: "The request did not arrive in time" },
  conflict: { status: 409, title: "Its state does not permit this" },
  "too-many-budgets": { status: 409, title: "There are as many budgets as are allowed" },
  "already-answered": { status: 409, title: "The question was answered already" },
  "plan-changed": { status: 409, title: "The plan is not the one that was seen" },
  expired: { status: 410, title: "It has expired" },
  "body-too-large": { status: 413, title: "The body is larger than accepted" },
  "unsupported-media-type": { status: 415, title: "The content type is not accepted" },
  defect: { status: 500, title: "Something unexpected happened" },
  unavailable: { status: 503, title: "It cannot be made durable right now" },
} as const satisfies { readonly [name: string]: { readonly status: number; readonly title: string } };

/** See {@link problems}. */
export type ProblemName = keyof typeof problems;

/** The stable `type` of a problem. */
export function problemType(name: string): string {
  return `urn:problem-type:runbookd:${name}`;
}

/** What is sent as application/problem+json (RFC 9457). */
export const problemSchema = z
  .object({
    type: z.enum(Object.keys(problems).map(problemType)),
    title: z.string(),
    status: z.int(),
    /** One sentence on this occurrence: what, where, what would be accepted. */
    detail: z.string(),
    /** One sentence per fault, when there are several. */
    issues: z.exactOptional(z.array(z.string())),
  })
  .meta({ id: "Problem" });

/** See {@link problemSchema}. */
export type Problem = Shape<typeof problemSchema>;
