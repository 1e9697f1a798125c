import { createAnswerPage } from "../approvals/answer-page.ts";
import { groupedDesk } from "../approvals/grouped-desk.ts";
import { observeQuestions } from "../approvals/metrics.ts";
import { createQuestionDesk } from "../approvals/redis-store.ts";
import { createApprovalRoutes } from "../approvals/routes.ts";
import { auditedDesk } from "../audit/audited.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Questions to people, and the page behind mailed links. */
export function registerApprovals({ clock, metrics }: Runtime, { redis, audit, doorbell }: ServerShared): Registration {
  const desk = auditedDesk(groupedDesk(createQuestionDesk(redis, doorbell, clock)), { audit, clock });
  observeQuestions(metrics, desk);
  return { routes: createApprovalRoutes({ desk, clock }), endpoints: createAnswerPage() };
}
