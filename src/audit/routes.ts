import { z } from "zod";
import { auditRecordSchema, auditVerdictSchema } from "../../packages/sdk/src/wire/audit.ts";
import { pageSchema } from "../../packages/sdk/src/wire/page.ts";
import { admins } from "../platform/http/roles.ts";
import { defineRoute, json, noBody, problem, type Route } from "../platform/http/route.ts";
import type { AuditReader } from "./audit-reader.ts";

const listQuery = z.strictObject({
  cursor: z.string().min(1).max(512).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

const verifyQuery = z.strictObject({ run: z.string().min(1).max(64).optional() });

/** What people did, and the proof that no record was changed. */
export function createAuditRoutes(reader: AuditReader): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/audit",
      summary: "What people did and what they were refused, newest first, by page",
      allow: admins,
      query: listQuery,
      body: noBody,
      success: {
        status: 200,
        description: "`items` are records; `nextCursor` asks for the next page and is absent on the last",
        schema: pageSchema(auditRecordSchema),
      },
      async handle({ query: { cursor, limit } }) {
        const page = await reader.list(cursor === undefined ? { limit } : { cursor, limit });
        return page === undefined ? problem("invalid-request", "The cursor is not one that this list has given out.") : json(page);
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/audit/verify",
      summary: "Recompute every hash chain, or one run's, from what is stored",
      allow: admins,
      query: verifyQuery,
      body: noBody,
      success: {
        status: 200,
        description: "`ok`, and the first `broken` record when it is not: `run` (absent: the audit log), `index`, `what`",
        schema: auditVerdictSchema,
      },
      problems: ["not-found"],
      async handle({ query: { run } }) {
        const verdict = await reader.verify(run);
        return verdict === undefined ? problem("not-found", "There is no such run.") : json(verdict);
      },
    }),
  ];
}
