import { listSchema } from "../../packages/sdk/src/wire/page.ts";
import {
  type CatalogueEntry,
  catalogueEntrySchema,
  type RunbookDocument,
  runbookDocumentSchema,
} from "../../packages/sdk/src/wire/runbooks.ts";
import { viewers } from "../platform/http/roles.ts";
import { defineRoute, json, noBody, noQuery, problem, type Route } from "../platform/http/route.ts";
import type { RunbookLibrary } from "./runbook-library.ts";

/** The running set of runbooks. */
export function createRunbookRoutes(library: RunbookLibrary): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/runbooks",
      summary: "The catalogue: what each runbook is for, what starts it, and whether its newest bytes are good",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "`items` in the order of their ids", schema: listSchema(catalogueEntrySchema) },
      handle: async () => json({ items: library.list().map((document) => catalogueEntry(document)) }),
    }),
    defineRoute({
      method: "get",
      path: "/api/runbooks/{id}",
      summary: "One runbook: `source` as it runs, `runbook` as it was understood, `diagnostics` of the newest bytes",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The document", schema: runbookDocumentSchema },
      problems: ["not-found"],
      async handle({ params }) {
        const document = library.get(params["id"] ?? "");
        return document === undefined ? problem("not-found", "There is no such runbook.") : json(document);
      },
    }),
  ];
}

function catalogueEntry({ id, file, runbook, diagnostics }: RunbookDocument): CatalogueEntry {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  if (runbook === undefined) return { id, file, usable: false, errors, warnings: diagnostics.length - errors };
  return {
    id,
    file,
    usable: true,
    errors,
    warnings: diagnostics.length - errors,
    title: runbook.title,
    sha256: runbook.sha256,
    mode: runbook.mode,
    triggers: runbook.triggers.map(({ source }) => source),
    params: runbook.params,
    ...(runbook.owner !== undefined && { owner: runbook.owner }),
    tags: runbook.tags,
    steps: runbook.steps.map(({ id: step, name, number, action }) => ({ id: step, name, number, action: action?.name ?? null })),
  };
}
