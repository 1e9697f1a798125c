import { z } from "zod";
import { promptCachesSchema } from "../../../packages/sdk/src/wire/caches.ts";
import {
  commentedFindingSchema,
  findingKinds,
  findingStatuses,
  newFindingCommentSchema,
  severities,
} from "../../../packages/sdk/src/wire/findings.ts";
import { listSchema } from "../../../packages/sdk/src/wire/page.ts";
import type { AuditLog } from "../../core/audit.ts";
import type { Clock } from "../../core/clock.ts";
import { type FindingCommentStore, type FindingSource, findingStatus } from "../../core/finding.ts";
import { operators, viewers } from "../../platform/http/roles.ts";
import { defineRoute, json, noBody, noQuery, problem, type Route } from "../../platform/http/route.ts";
import type { BudgetLedger } from "../budgets/budget-ledger.ts";
import type { PrefixSampleStore } from "../usage/prefix-samples.ts";
import type { CacheAnalysisStore } from "./cache-analysis-store.ts";
import { unsampledPrompts } from "./unsampled-prompts.ts";

/** What is known about the caching of prompts, and everything that was found out. */
export interface CacheRouteDeps {
  readonly cacheAnalysisStore: Pick<CacheAnalysisStore, "list">;
  readonly samples: Pick<PrefixSampleStore, "groups">;
  readonly ledger: Pick<BudgetLedger, "recentUsage">;
  readonly findings: readonly FindingSource[];
  readonly comments: FindingCommentStore;
  readonly audit: AuditLog;
  readonly clock: Pick<Clock, "now">;
}

/** Among so many of the newest requests prompts without a prefix are looked for, and so many of them are told. */
const recentEvents = 5000;
const maxUnsampled = 100;

const filter = z.strictObject({ kind: z.enum(findingKinds).optional(), status: z.enum(findingStatuses).optional() });

/** Prompts as their requests were cached, and findings. */
export function createCacheRoutes({
  cacheAnalysisStore,
  samples,
  ledger,
  findings,
  comments,
  audit,
  clock,
}: CacheRouteDeps): readonly Route[] {
  const listed = async () => {
    const [findingsBySource, commentById] = await Promise.all([
      Promise.all(findings.map(async (source) => source.findings())),
      comments.list(),
    ]);
    return findingsBySource.flat().map((finding) => ({
      ...finding,
      status: findingStatus(finding, commentById.get(finding.id)),
      note: commentById.get(finding.id) ?? null,
    }));
  };
  return [
    defineRoute({
      method: "get",
      path: "/api/prompt-caches",
      summary: "How each prompt is cached: measured, achievable and predicted hit ratio, causes and what mends them, or what is missing",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: {
        status: 200,
        description:
          "`items` are the newest analyses, one for each prompt and model, by name; `unsampled` are prompts of recent requests that told no prefix",
        schema: promptCachesSchema,
      },
      async handle() {
        const [states, groups, events] = await Promise.all([cacheAnalysisStore.list(), samples.groups(), ledger.recentUsage(recentEvents)]);
        const items = [...states].sort((a, b) => compare(a.prompt, b.prompt) || compare(a.model, b.model));
        return json({ items, unsampled: unsampledPrompts(events, groups).slice(0, maxUnsampled) });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/findings",
      summary: "What was found out about the workload, with the evidence; by kind, the gravest first",
      allow: viewers,
      query: filter,
      body: noBody,
      success: {
        status: 200,
        description: "`items` are findings with their `status` and the `note` that it comes from; a finding that no longer holds is gone",
        schema: listSchema(commentedFindingSchema),
      },
      async handle({ query: { kind, status } }) {
        const items = (await listed()).filter(
          (one) => (kind === undefined || one.kind === kind) && (status === undefined || one.status === status),
        );
        return json({ items: items.sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity)) });
      },
    }),
    defineRoute({
      method: "put",
      path: "/api/findings/{id}/status",
      summary:
        "Say what becomes of a finding; it is open again when it gets graver. A prompt whose finding is not open does not alert for a low hit ratio",
      allow: operators,
      query: noQuery,
      body: newFindingCommentSchema,
      success: { status: 200, description: "The finding with its status", schema: commentedFindingSchema },
      problems: ["not-found"],
      async handle({ params, body: { status, reason }, caller }) {
        const finding = (await listed()).find(({ id }) => id === params["id"]);
        if (finding === undefined) return problem("not-found", "There is no such finding now; GET /api/findings lists them.");
        const comment = { status, reason, by: caller.name, at: clock.now(), severity: finding.severity };
        await comments.put(finding.id, comment);
        const detail = { status, before: finding.status, reason, title: finding.title.slice(0, 300) };
        await audit.append({ at: comment.at, kind: "finding_noted", by: comment.by, subject: finding.id, detail });
        return json({ ...finding, status, note: comment });
      },
    }),
  ];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
