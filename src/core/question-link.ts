import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import { dayMs } from "./duration.ts";
import { sha256 } from "./json.ts";

/** What a link is for. */
export type LinkedQuestion = Pick<Question, "id" | "runId" | "stepId" | "planSha" | "expiresAt">;

/**
 * What is kept of a mailed link's token: a hash over the token and everything that the link is for. A token of another question, step or plan
 * has another hash, so it opens nothing.
 */
export function linkHash(token: string, question: LinkedQuestion): string {
  return sha256([token, question.id, question.runId, question.stepId, question.planSha ?? ""].join("\n"));
}

/** A link is dead after this long even when its question still waits. */
export const linkLifeMs = dayMs;

/** Wrong tokens after which the links of a question are locked; other ways to answer stay open. */
export const linkTries = 5;
