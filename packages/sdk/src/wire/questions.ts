import { z } from "zod";
import { planSchema } from "./plans.ts";
import type { Shape } from "./shape.ts";
import { instantSchema } from "./units.ts";

/** Whatever waits for a person is one question, answered in one way. */
export const questionKinds = ["approve", "manual", "ask", "in_doubt"] as const;

/** See {@link questionKinds}. */
export type QuestionKind = (typeof questionKinds)[number];

/** What the run of a question is about, as its alert says it: short, on one line each, and without secrets. */
const questionSubjectSchema = z.object({
  target: z.exactOptional(z.string()),
  alertName: z.exactOptional(z.string()),
  /** The alert's annotation `summary`. */
  summary: z.exactOptional(z.string()),
  /** The alert's other labels. */
  labels: z.exactOptional(z.record(z.string(), z.string())),
});

/** See {@link questionSubjectSchema}. */
export type QuestionSubject = Shape<typeof questionSubjectSchema>;

/** One question to a person. */
export const questionSchema = z
  .object({
    id: z.string(),
    runId: z.string(),
    runbookId: z.string(),
    stepId: z.string(),
    kind: z.enum(questionKinds),
    /** What a person reads. */
    text: z.string(),
    answers: z.array(z.string()),
    /** The exact plan an approval is for; absent when there is none. */
    planSha: z.exactOptional(z.string()),
    /** What would be done, for an approval: before → after. */
    plan: z.exactOptional(planSchema),
    /** Asked by an action in the middle of its work; the answer goes back to it. */
    byAction: z.exactOptional(z.boolean()),
    /** Absent in questions of earlier versions. */
    about: z.exactOptional(questionSubjectSchema),
    askedAt: instantSchema,
    expiresAt: z.exactOptional(instantSchema),
    /** Role that may answer. */
    role: z.enum(["operator", "approver"]),
    /** How many different people must approve; absent: one. A rejection decides at once. */
    of: z.exactOptional(z.number()),
    /** What asks for the same reason is put to people as one question; see `storm` in the guardrails. */
    group: z.exactOptional(z.string()),
    /** Who started the run: may reject, and may not approve what was asked for by the same person. */
    requester: z.exactOptional(z.string()),
  })
  .meta({ id: "Question" });

/** See {@link questionSchema}. */
export type Question = Shape<typeof questionSchema>;

/** One person's consent on the way to the number that a question needs. */
export const consentSchema = z.object({ by: z.string(), reason: z.string(), at: instantSchema });

/** See {@link consentSchema}. */
export type Consent = Shape<typeof consentSchema>;

/** A person's answer. */
export const answerSchema = z
  .object({
    answer: z.string(),
    by: z.string(),
    reason: z.string(),
    at: instantSchema,
    /** The others whose consent was needed, in order; `by` is the last of them. */
    consents: z.exactOptional(z.array(consentSchema)),
  })
  .meta({ id: "Answer" });

/** See {@link answerSchema}. */
export type Answer = Shape<typeof answerSchema>;

/** A question, and its answer once there is one. */
export const askedQuestionSchema = z.object({
  question: questionSchema,
  answer: z.exactOptional(answerSchema),
  /** Who has approved so far, when one approval is not enough. */
  consents: z.array(consentSchema),
  /** How many more people must approve; 1 for what one person decides, 0 when it is decided. */
  missing: z.number(),
});

/** See {@link askedQuestionSchema}. */
export type AskedQuestion = Shape<typeof askedQuestionSchema>;

/** What a person answers; `planSha` names the plan that was read. */
export const newAnswerSchema = z.strictObject({
  answer: z.string().min(1).max(40),
  reason: z.string().trim().min(1).max(1000),
  planSha: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits")
    .optional(),
});

/** The same from the page behind a mailed link, with the link's token. */
export const newLinkAnswerSchema = newAnswerSchema.extend({ link: z.string().min(1).max(200) });

/** What came of an answer: the run, or all runs, that go on; with `missing` above 0 the run waits for that many more people. */
export const answeredSchema = z.object({
  runId: z.string(),
  runIds: z.exactOptional(z.array(z.string())),
  missing: z.exactOptional(z.number()),
});
