import { z } from "zod";
import { pageSchema } from "../../packages/sdk/src/wire/page.ts";
import { answeredSchema, askedQuestionSchema, newAnswerSchema, newLinkAnswerSchema } from "../../packages/sdk/src/wire/questions.ts";
import type { Shape } from "../../packages/sdk/src/wire/shape.ts";
import type { Clock } from "../core/clock.ts";
import type { Caller } from "../core/role.ts";
import { answerers, viewers } from "../platform/http/roles.ts";
import {
  defineRoute,
  type HandlerResponse,
  json,
  noBody,
  noQuery,
  problem,
  type Route,
  type RouteRequest,
} from "../platform/http/route.ts";
import type { AnswerResult, ApprovalService } from "./approval-service.ts";
import type { AnsweredQuestions } from "./redis-store.ts";

const listQuery = z.strictObject({
  state: z.enum(["open", "answered"]).default("open"),
  cursor: z.string().min(1).max(512).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** Questions to people and their answers. */
export function createApprovalRoutes({
  approvalService,
  answeredQuestions,
  clock,
}: {
  readonly approvalService: ApprovalService;
  readonly answeredQuestions: AnsweredQuestions;
  readonly clock: Clock;
}): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/approvals",
      summary:
        "Open questions, oldest first, each with its permitted answers and the plan that an approval is for; `state=answered`: those of the last 30 days by page, the last answer first",
      allow: viewers,
      query: listQuery,
      body: noBody,
      success: {
        status: 200,
        description:
          "`items` hold `question`, the `consents` so far, how many are `missing`, and the `answer` once there is one; `nextCursor` asks for the next page of answered ones and is absent on the last",
        schema: pageSchema(askedQuestionSchema),
      },
      async handle({ query: { state, cursor, limit } }) {
        if (state === "open") return json({ items: await approvalService.list() });
        const page = await answeredQuestions(cursor === undefined ? { limit } : { cursor, limit });
        return page === undefined ? problem("invalid-request", "The cursor is not one that this list has given out.") : json(page);
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/approvals/{id}/question",
      summary: "One question, open or not; reading it decides nothing",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: {
        status: 200,
        description: "`question`, the `consents` so far, how many are `missing`, and the `answer` once there is one",
        schema: askedQuestionSchema,
      },
      problems: ["not-found"],
      async handle({ params }) {
        const asked = await approvalService.find(params["id"] ?? "");
        return asked === undefined ? problem("not-found", "There is no such question.") : json(asked);
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/approvals/{id}/link",
      summary: "Answer one question from the page behind a mailed link: the link's token and a person's token together",
      allow: answerers,
      fromPage: true,
      query: noQuery,
      body: newLinkAnswerSchema,
      success: {
        status: 202,
        description: "`runId` goes on; with `missing` above 0 it waits for that many more people",
        schema: answeredSchema,
      },
      problems: ["not-found", "already-answered", "conflict", "plan-changed", "expired"],
      handle: async ({ params, body, caller }) => answer(params, body, caller),
    }),
    defineRoute({
      method: "post",
      path: "/api/approvals/{id}",
      summary: "Answer one question; `planSha` names the plan that was read",
      allow: answerers,
      query: noQuery,
      body: newAnswerSchema,
      success: {
        status: 202,
        description: "`runId` goes on, or all `runIds`; with `missing` above 0 it waits for that many more people",
        schema: answeredSchema,
      },
      problems: ["not-found", "already-answered", "conflict", "plan-changed", "expired"],
      handle: async ({ params, body, caller }) => answer(params, body, caller),
    }),
  ];

  async function answer(
    params: RouteRequest<unknown, unknown>["params"],
    body: z.output<typeof newAnswerSchema> & { link?: string },
    caller: Caller,
  ) {
    const { answer: given, reason, planSha, link } = body;
    return answered(
      await approvalService.answer(params["id"] ?? "", {
        answer: given,
        reason,
        by: caller.name,
        role: caller.role,
        at: clock.now(),
        ...(planSha === undefined ? {} : { planSha }),
        ...(link === undefined ? {} : { link }),
      }),
    );
  }
}

function answered(result: AnswerResult): HandlerResponse<Shape<typeof answeredSchema>> {
  switch (result.kind) {
    case "ok":
      return json({ runId: result.runId, ...(result.runIds !== undefined && { runIds: result.runIds }) });
    case "recorded":
      return json({ runId: result.runId, missing: result.missing });
    case "over":
      return problem("conflict", result.reason);
    case "wrong_link":
      return problem(
        "forbidden",
        result.remainingTries > 0
          ? `This link is not for this question, this step and this plan; ${result.remainingTries} more tries.`
          : "The links of this question are locked or have expired; answer with the command line or the API.",
      );
    case "already":
      return problem(
        "already-answered",
        `${result.answer.by} answered ${result.answer.answer} at ${new Date(result.answer.at).toISOString()}.`,
      );
    case "plan_changed":
      return problem("plan-changed", "The plan is another one now; read the question again and name its planSha.");
    case "expired":
      return problem("expired", "The question has expired; its run took the safe branch.");
    case "not_permitted":
      return problem("forbidden", result.reason);
    case "unknown_answer":
      return problem("invalid-request", `The permitted answers are ${result.answers.join(", ")}.`);
    case "not_found":
      return problem("not-found", "There is no such question.");
  }
}
