import { z } from "zod";
import { answeredSchema, askedQuestionSchema } from "../../../packages/sdk/src/wire/questions.ts";
import { describePlan } from "../../core/describe-plan.ts";
import { oneLine } from "../../core/one-line.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, writeJson } from "../context.ts";
import { type CommandDefinition, flagOption, textOption } from "../define-command.ts";
import { renderQuestions } from "../render-run.ts";

/** `runbookd approvals …`: every question that waits for a person. */
export function approvalsCommands(): readonly CommandDefinition[] {
  return [list, answerQuestion];
}

const openQuestions = z.looseObject({ items: z.array(askedQuestionSchema) });

const list: CommandDefinition = {
  usage: "list",
  summary: "List open questions, oldest first",
  examples: ["runbookd approvals list"],
  remote: true,
  async run(_args, invocation) {
    const client = await createApiClient(invocation);
    const answer = await client.get("/api/approvals", openQuestions);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
    else invocation.context.write(renderQuestions(answer.body.items));
    return exitCodes.ok;
  },
};

const answerQuestion: CommandDefinition = {
  usage: "answer <question> <answer>",
  summary: "Answer one question; an approval permits exactly the plan that is shown now",
  examples: ["runbookd approvals answer q-01K0ABC approve --reason 'agreed with the owner'"],
  remote: true,
  options: [
    { flags: "--reason <text>", description: "stands in the journal and the report", default: "answered from the command line" },
    { flags: "--plan <sha>", description: "the plan that was read; without it the plan is read and printed now" },
  ],
  async run([id = "", answer = ""], invocation) {
    const { context } = invocation;
    const client = await createApiClient(invocation);
    const open = await client.get("/api/approvals", openQuestions);
    if (open.kind !== "ok") return reportFailure(invocation, open);
    const question = open.body.items.map((item) => item.question).find((candidate) => candidate.id === id);
    if (question !== undefined && !question.answers.includes(answer)) {
      context.warn(`${oneLine(answer)} is no answer to ${oneLine(id)}; accepted: ${question.answers.join(", ")}\n`);
      return exitCodes.usage;
    }
    if (question?.plan !== undefined && textOption(invocation, "plan") === undefined && !flagOption(invocation, "json")) {
      context.write(`${describePlan(question.plan).join("\n")}\n`);
    }
    const planSha = textOption(invocation, "plan") ?? question?.planSha;
    const body = { answer, reason: textOption(invocation, "reason"), ...(planSha === undefined ? {} : { planSha }) };
    const response = await client.post(`/api/approvals/${encodeURIComponent(id)}`, body, answeredSchema);
    if (response.kind !== "ok") return reportFailure(invocation, response);
    if (flagOption(invocation, "json")) writeJson(context, response.body);
    else {
      const { runId, runIds = [], missing = 0 } = response.body;
      const goesOn = runIds.length > 1 ? `${runIds.length} runs go on.` : `Run ${runId} goes on.`;
      const then = missing > 0 ? `${missing} more must approve before run ${runId} goes on.` : goesOn;
      context.write(`${question === undefined ? "" : `${oneLine(question.text)}\n`}Answered ${answer}. ${then}\n`);
    }
    return exitCodes.ok;
  },
};
