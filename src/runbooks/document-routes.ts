import { documentTreeSchema } from "../../packages/sdk/src/wire/document-tree.ts";
import { viewers } from "../platform/http/roles.ts";
import { defineRoute, json, noBody, noQuery, problem, type Route } from "../platform/http/route.ts";
import type { DocumentTrees } from "./document-trees.ts";
import type { RunbookLibrary } from "./runbook-library.ts";

/** The running documents as trees. */
export function createDocumentRoutes(library: Pick<RunbookLibrary, "get">, trees: DocumentTrees): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/runbooks/{id}/document",
      summary: "The runbook's text as a tree of a closed set of nodes, of the version that runs; carries an entity tag",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The tree; nothing in it is HTML", schema: documentTreeSchema },
      revalidates: true,
      problems: ["not-found"],
      async handle({ params, ifNoneMatch }) {
        const document = library.get(params["id"] ?? "");
        if (document === undefined) return problem("not-found", "There is no such runbook.");
        const { tree, etag } = trees.of(document.id, document.source);
        return ifNoneMatch === etag ? { kind: "unchanged", headers: { etag } } : json(tree, { etag });
      },
    }),
  ];
}
