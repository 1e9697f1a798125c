import { createAnswerPage } from "../approvals/answer-page.ts";
import { groupedApprovals } from "../approvals/grouped-approvals.ts";
import { observeQuestions } from "../approvals/metrics.ts";
import { createAnsweredQuestions, createApprovalService } from "../approvals/redis-store.ts";
import { createApprovalRoutes } from "../approvals/routes.ts";
import { auditedApprovals } from "../audit/audited.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Questions to people, and the page behind mailed links. */
export function registerApprovals({ clock, metrics }: Runtime, { redis, audit, wakeQueue }: ServerShared): Registration {
  const approvalService = auditedApprovals(groupedApprovals(createApprovalService(redis, wakeQueue, clock)), { audit, clock });
  observeQuestions(metrics, approvalService);
  return {
    routes: createApprovalRoutes({ approvalService, answeredQuestions: createAnsweredQuestions(redis, clock), clock }),
    endpoints: createAnswerPage(),
  };
}
