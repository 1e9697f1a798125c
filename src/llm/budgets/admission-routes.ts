import { z } from "zod";
import {
  admissionLogEntrySchema,
  admissionRequestSchema,
  admissionResponseSchema,
  admissionToWire,
  extensionResponseSchema,
  extensionSchema,
  releaseResponseSchema,
  releaseSchema,
} from "../../../packages/sdk/src/wire/admissions.ts";
import { listSchema } from "../../../packages/sdk/src/wire/page.ts";
import {
  describedUsageReportsSchema,
  maxReportBytes,
  usageEventSchema,
  usageReportsSchema,
  usageResponseSchema,
} from "../../../packages/sdk/src/wire/usage.ts";
import type { Clock } from "../../core/clock.ts";
import type { EventSink } from "../../core/event.ts";
import { viewers, workloads } from "../../platform/http/roles.ts";
import { defineRoute, json, noBody, noQuery, type Route } from "../../platform/http/route.ts";
import type { PriceTable } from "../usage/price-table.ts";
import { type PrefixKeeping, recordUsage } from "../usage/record-usage.ts";
import type { BudgetLedger } from "./budget-ledger.ts";
import type { WorkloadEvent } from "./workload-event.ts";

/** What permission and usage stand on. */
export interface WorkloadRouteDeps {
  readonly ledger: BudgetLedger;
  readonly prices: PriceTable;
  readonly publish: EventSink<WorkloadEvent>;
  /** Where the prompts' prefixes are kept; without it they are not. */
  readonly prefixes?: PrefixKeeping;
  /** How old a report may be, in milliseconds; two days by default. */
  readonly maxAgeMs?: number;
  readonly clock: Clock;
}

const newest = z.strictObject({ limit: z.coerce.number().int().min(1).max(10_000).default(100) });

/** What the application says and asks: admission, its end, and usage. */
export function createWorkloadRoutes(deps: WorkloadRouteDeps): readonly Route[] {
  const { ledger, publish, clock } = deps;
  return [
    defineRoute({
      method: "post",
      path: "/api/admissions",
      summary: "Ask for permission to start a ticket or its next turn; the estimate is reserved",
      allow: workloads,
      query: noQuery,
      body: admissionRequestSchema,
      success: {
        status: 200,
        description:
          "`{leaseId, leaseMs}`, or `{wait: true, reason, detail, retryAfterMs}`, or `{stop: true, reason, detail, retryAfterMs}`",
        schema: admissionResponseSchema,
      },
      handle: async ({ body }) => json(admissionToWire(await ledger.admit(body))),
    }),
    defineRoute({
      method: "post",
      path: "/api/admissions/{leaseId}/extend",
      summary: "Keep the reservation of a turn that takes long",
      allow: workloads,
      query: noQuery,
      body: extensionSchema,
      success: {
        status: 200,
        description: "`extended` is false when the lease is gone: its reservation was charged, unless its turn was reported",
        schema: extensionResponseSchema,
      },
      handle: async ({ params, body }) => json({ extended: await ledger.extend(body.budget, params["leaseId"] ?? "") }),
    }),
    defineRoute({
      method: "post",
      path: "/api/admissions/release",
      summary:
        "Give a ticket's lease up; with an outcome the ticket has ended. A turn without a report is charged with its reservation unless `unused` says that no request was made",
      allow: workloads,
      query: noQuery,
      body: releaseSchema,
      success: {
        status: 200,
        description: "`finished` is true when this request was the first that ended the ticket",
        schema: releaseResponseSchema,
      },
      async handle({ body }) {
        const ticket = await ledger.finish(body);
        if (ticket !== undefined) publish({ kind: "ticket_ended", ticket });
        return json({ finished: ticket !== undefined });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/admissions",
      summary: "What the gates did: admissions, refusals and changes of the gates, oldest of the newest `limit` first",
      allow: viewers,
      query: newest,
      body: noBody,
      success: { status: 200, description: "`items` are entries of the log", schema: listSchema(admissionLogEntrySchema) },
      handle: async ({ query }) => json({ items: await ledger.admissions(query.limit) }),
    }),
    defineRoute({
      method: "post",
      path: "/api/usage",
      summary: "Report model requests with the provider's own usage objects; provider, budget and id identify a report",
      allow: workloads,
      query: noQuery,
      body: usageReportsSchema,
      describedBody: describedUsageReportsSchema,
      bodyLimitBytes: maxReportBytes.body,
      success: { status: 200, description: "`results`: one per event, in order", schema: usageResponseSchema },
      handle: async ({ body }) => json({ results: await recordUsage(body.events, clock.now(), deps) }),
    }),
    defineRoute({
      method: "get",
      path: "/api/usage",
      summary: "The newest usage events, newest first",
      allow: viewers,
      query: newest,
      body: noBody,
      success: {
        status: 200,
        description: "`items` are events with their partition and price, by when their requests ended; one for each id",
        schema: listSchema(usageEventSchema),
      },
      handle: async ({ query }) => json({ items: await ledger.recentUsage(query.limit) }),
    }),
  ];
}
