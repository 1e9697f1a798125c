import type { Plan } from "../../../packages/sdk/src/wire/plans.ts";
import type { Question } from "../../../packages/sdk/src/wire/questions.ts";
import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import { hourMs } from "../../core/duration.ts";
import type { ActiveRun } from "./active-run.ts";
import { subjectOf } from "./question-subject.ts";

/** What to ask; the rest follows from the run. */
export interface Asked {
  readonly kind: Question["kind"];
  readonly text: string;
  readonly answers: readonly string[];
  readonly byAction?: boolean;
  readonly planSha?: string;
  readonly plan?: Plan;
  readonly withinMs?: number;
  readonly role?: Question["role"];
  readonly of?: number;
  readonly group?: string;
}

/** Of an approval for which the document names no time: silence is a no, not a wait without end. */
const defaultApprovalMs = hourMs;

/** Records a question; the move that follows suspends the run. */
export function askPeople({ writer, deps }: ActiveRun, step: Step, asked: Asked): void {
  writer.receiveNotices();
  const { withinMs = asked.kind === "approve" ? defaultApprovalMs : undefined, ...questionFields } = asked;
  const { runId, request } = writer.view;
  const now = deps.clock.now();
  const about = subjectOf(request);
  const question: Question = {
    id: deps.questionId(),
    runId,
    runbookId: request.runbookId,
    stepId: step.id,
    ...(Object.keys(about).length > 0 && { about }),
    askedAt: now,
    role: asked.role ?? (asked.kind === "approve" ? "approver" : "operator"),
    ...(withinMs !== undefined && { expiresAt: now + withinMs }),
    ...(asked.kind === "approve" && request.requester !== undefined && { requester: request.requester }),
    ...questionFields,
  };
  writer.record({ kind: "asked", question });
}
