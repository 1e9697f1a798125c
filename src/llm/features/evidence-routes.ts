import { z } from "zod";
import { evidenceSchema } from "../../../packages/sdk/src/wire/evidence.ts";
import { answerers } from "../../platform/http/roles.ts";
import { defineRoute, json, noBody, noQuery, problem, type Route } from "../../platform/http/route.ts";
import type { EvidenceStore } from "./evidence.ts";

const maxListed = 200;

/** What was kept of security incidents. It may hold what customers wrote, so that people who only watch do not read it. */
export function createEvidenceRoutes(store: Pick<EvidenceStore, "list" | "read">): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/evidence",
      summary: `Ids of evidence, the newest first, at most ${maxListed}`,
      allow: answerers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The ids", schema: z.object({ items: z.array(z.string()) }) },
      handle: async () => json({ items: await store.list(maxListed) }),
    }),
    defineRoute({
      method: "get",
      path: "/api/evidence/{id}",
      summary: "One evidence: its manifest, the hash that the audit log has, and the texts",
      allow: answerers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The evidence", schema: evidenceSchema },
      problems: ["not-found"],
      async handle({ params }) {
        const evidence = await store.read(params["id"] ?? "");
        return evidence === undefined ? problem("not-found", "There is no such evidence, or its time is over.") : json(evidence);
      },
    }),
  ];
}
