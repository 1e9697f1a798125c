import { documentTreeSchema } from "../../packages/sdk/src/wire/document-tree.ts";
import { viewers } from "../platform/http/roles.ts";
import { defineRoute, json, noBody, noQuery, problem, type Route } from "../platform/http/route.ts";
import type { DocumentTrees } from "../runbooks/document-trees.ts";
import type { ReadPinnedSource } from "./pinned-runbooks.ts";

/** The documents that runs are pinned to, as trees. */
export function createRunDocumentRoutes(readPinned: ReadPinnedSource, trees: DocumentTrees): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/runs/{id}/document",
      summary: "The text that the run is pinned to, as a tree of a closed set of nodes; carries an entity tag",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The tree; nothing in it is HTML", schema: documentTreeSchema },
      revalidates: true,
      problems: ["not-found"],
      async handle({ params, ifNoneMatch }) {
        const pinned = await readPinned(params["id"] ?? "");
        if (pinned === undefined) return problem("not-found", "There is no such run.");
        if (pinned.source === undefined) return problem("not-found", "The document that this run is pinned to is no longer stored.");
        const { tree, etag } = trees.of(pinned.runbookId, pinned.source);
        return ifNoneMatch === etag ? { kind: "unchanged", headers: { etag } } : json(tree, { etag });
      },
    }),
  ];
}
