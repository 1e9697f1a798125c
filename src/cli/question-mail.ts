import type { MailContent } from "../core/outbox.ts";
import type { Question } from "../core/question.ts";
import type { Runbook } from "../runbook/runbook.ts";

/** The mail that tells people of a question. It decides nothing: an answer needs a token and a command or a call. */
export function questionMail(question: Question, runbook: Runbook, publicUrl: string | undefined): MailContent {
  const step = runbook.steps.find(({ id }) => id === question.stepId);
  const changes = (question.plan?.changes ?? []).map(
    (change) => `  ${change.target} ${change.field}: ${JSON.stringify(change.before)} -> ${JSON.stringify(change.after)}`,
  );
  const lines = [
    `${runbook.title}: ${step === undefined ? question.stepId : `step ${step.number}, ${step.name}`}`,
    "",
    question.text,
    ...(changes.length > 0 ? ["", "What would change:", ...changes] : []),
    "",
    `Permitted answers: ${question.answers.join(", ")}`,
    question.expiresAt === undefined
      ? "The run waits until somebody answers."
      : `Without an answer by ${new Date(question.expiresAt).toISOString()} the safe branch is taken.`,
    "",
    `  runbookd approvals answer ${question.id} ${question.answers[0] ?? "ANSWER"}${question.planSha === undefined ? "" : ` --plan ${question.planSha}`}`,
    ...(publicUrl === undefined ? [] : [`  ${publicUrl}/api/approvals`]),
    "",
    `Run ${question.runId}`,
  ];
  return {
    kind: "message",
    runId: question.runId,
    subject: `runbookd needs an answer: ${runbook.title} (${question.kind})`,
    text: lines.join("\n"),
  };
}
