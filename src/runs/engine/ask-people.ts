import type { Plan } from "../../../packages/sdk/src/wire/plans.ts";
import type { Question } from "../../../packages/sdk/src/wire/questions.ts";
import type { Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import { hourMs } from "../../core/duration.ts";
import type { AttemptDeps } from "./bind-call.ts";
import type { RunWriter } from "./run-writer.ts";

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

/** Of an approval for which the document names no time: silence is a no, not a wait for ever. */
const defaultApprovalMs = hourMs;

/** Notes a question; the run is suspended by the move that follows. */
export function askPeople(writer: RunWriter, step: Step, asked: Asked, deps: AttemptDeps): void {
  writer.receiveNotices();
  const { withinMs = asked.kind === "approve" ? defaultApprovalMs : undefined, ...rest } = asked;
  const { requester } = writer.view.request;
  const now = deps.clock.now();
  const question: Question = {
    id: deps.questionId(),
    runId: writer.view.runId,
    runbookId: writer.view.request.runbookId,
    stepId: step.id,
    askedAt: now,
    role: asked.role ?? (asked.kind === "approve" ? "approver" : "operator"),
    ...(withinMs !== undefined && { expiresAt: now + withinMs }),
    ...(asked.kind === "approve" && requester !== undefined && { requester }),
    ...rest,
  };
  writer.record({ kind: "asked", question });
}
