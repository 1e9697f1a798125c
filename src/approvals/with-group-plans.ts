import type { AskedQuestion, Question } from "../../packages/sdk/src/wire/questions.ts";
import { describePlan } from "../core/describe-plan.ts";
import type { Composer } from "../reports/create-composer.ts";
import type { ApprovalService } from "./approval-service.ts";

/** A mail with more says how many plans it leaves out; the command shows them. */
const maxCharacters = 500_000;

/**
 * A composer that ends the mail of a question for many runs with the whole plan of each run that waits for the answer at that moment: while the mail
 * waited, more of them may have come. Rejects when the questions cannot be read.
 */
export function withGroupPlans(composer: Composer, approvals: Pick<ApprovalService, "list">): Composer {
  return {
    async compose(row, now) {
      const composed = await composer.compose(row, now);
      const group = row.content.kind === "message" ? row.content.group : undefined;
      if (composed.kind !== "mail" || group === undefined) return composed;
      const questions = (await approvals.list()).map(({ question }: AskedQuestion) => question).filter((one) => one.group === group);
      return { ...composed, text: `${composed.text}\n\n${plansText(questions)}` };
    },
  };
}

function plansText(questions: readonly Question[]): string {
  if (questions.length === 0) return "None of the runs waits for it any more.";
  const lines = [`${questions.length} ${questions.length === 1 ? "run waits" : "runs wait"} for it now:`];
  let characters = 0;
  for (const [index, { runId, runbookId, stepId, plan }] of questions.entries()) {
    const part = [
      `${runbookId}, step ${stepId}, run ${runId}:`,
      ...(plan === undefined ? [] : describePlan(plan).map((line) => `  ${line}`)),
    ];
    characters += part.join("\n").length;
    if (characters > maxCharacters && index > 0) {
      lines.push("", `${questions.length - index} more are not in this mail; \`runbookd approvals list\` shows them all.`);
      break;
    }
    lines.push("", ...part);
  }
  return lines.join("\n");
}
