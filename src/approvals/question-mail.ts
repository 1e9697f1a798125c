import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import { describeLabels } from "../core/describe-labels.ts";
import { describePlan } from "../core/describe-plan.ts";
import { formatDuration } from "../core/duration.ts";
import type { MailContent } from "../core/outbox.ts";
import { groupQuestionId } from "../core/question.ts";
import type { LinkedQuestion } from "../core/question-link.ts";

/**
 * The mail that tells people of a question. It decides nothing: an answer needs a token and a command, a call or the page behind the link,
 * which is added when the mail is sent. `escalated`: half of the time is over and nobody has answered.
 */
export function questionMail(question: Question, runbook: Runbook, escalated: boolean): MailContent {
  if (question.group !== undefined) return groupMail(question, question.group, escalated);
  const step = runbook.steps.find(({ id }) => id === question.stepId);
  const plan = question.plan === undefined ? [] : describePlan(question.plan).map((line) => `  ${line}`);
  const lines = [
    ...(escalated ? ["Half of the time is over and this has not been decided.", ""] : []),
    `${runbook.title}: ${step === undefined ? question.stepId : `step ${step.number}, ${step.name}`}`,
    "",
    question.text,
    ...describeSubject(question),
    ...(plan.length > 0 ? ["", "What would be done:", ...plan] : []),
    "",
    `Permitted answers: ${question.answers.join(", ")}`,
    question.expiresAt === undefined
      ? "It has no time limit: the run waits for an answer."
      : `Without an answer by ${timeOf(question.expiresAt)}, ${formatDuration(question.expiresAt - question.askedAt)} after it was asked, ${silenceOf(question)}`,
    ...((question.of ?? 1) > 1 ? [`${question.of} different people must approve; one rejection is enough.`] : []),
    ...(question.requester === undefined ? [] : [`${question.requester} started the run and cannot approve this.`]),
    "",
    `  runbookd approvals answer ${question.id} ${question.answers[0] ?? "ANSWER"}${question.planSha === undefined ? "" : ` --plan ${question.planSha}`}`,
    "",
    `Run ${question.runId}`,
  ];
  return {
    kind: "message",
    runId: question.runId,
    subject: `${escalated ? "Still open: " : ""}runbookd needs an answer: ${runbook.title} (${question.kind})`,
    text: lines.join("\n"),
    link: linkOf(question),
    ...(step !== undefined && { step: step.number }),
  };
}

/** Which target, alert and labels: what a person needs to know what is permitted. */
function describeSubject({ about = {} }: Question): readonly string[] {
  const { target, alertName, summary, labels = {} } = about;
  const lines = [
    ...(target === undefined ? [] : [`Target: ${target}`]),
    ...(alertName === undefined ? [] : [`Alert: ${alertName}`]),
    ...(summary === undefined ? [] : [`Summary: ${summary}`]),
    ...(Object.keys(labels).length === 0 ? [] : [`Labels: ${describeLabels(labels)}`]),
  ];
  return lines.length === 0 ? [] : ["", ...lines];
}

/** What happens when the time to answer is over. */
function silenceOf({ kind }: Question): string {
  return kind === "approve" ? "nothing of this plan is done, and the step fails." : "the step fails, as if the answer had been no.";
}

/** `2026-11-26 18:28 UTC`. */
function timeOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function linkOf({ id, runId, stepId, planSha, expiresAt }: Question): LinkedQuestion {
  return { id, runId, stepId, ...(planSha !== undefined && { planSha }), ...(expiresAt !== undefined && { expiresAt }) };
}

/** Tells of one question for many runs; their plans are added when the mail is sent, as more of them may come. */
function groupMail(question: Question, group: string, escalated: boolean): MailContent {
  const id = groupQuestionId(group);
  const lines = [
    ...(escalated ? ["Half of the time is over and this has not been decided.", ""] : []),
    question.text,
    "",
    "Reading and stopping go on. Every change that raises risk or spend waits for one decision about all of them:",
    "",
    "  runbookd approvals list",
    `  runbookd approvals answer ${id} ${question.answers.join("|")} --reason TEXT`,
  ];
  return {
    kind: "message",
    runId: question.runId,
    subject: `${escalated ? "Still open: " : ""}runbookd needs one answer for all: ${group}`,
    text: lines.join("\n"),
    group,
  };
}
