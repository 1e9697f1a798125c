import type { DocumentTree } from "../../packages/sdk/src/wire/document-tree.ts";
import { sha256 } from "../core/json.ts";
import { buildDocumentTree } from "./parse/build-document-tree.ts";

/** A tree with its entity tag: two trees that differ have different tags, also those of two versions of this program. */
export interface TaggedTree {
  readonly tree: DocumentTree;
  readonly etag: string;
}

/** Trees of documents; a document that was asked for before is not parsed again. */
export interface DocumentTrees {
  of(runbookId: string, source: string): TaggedTree;
}

/** Trees kept in memory; the largest is about ten times the largest document. */
const maxTrees = 32;

/** See {@link DocumentTrees}. */
export function createDocumentTrees(build: typeof buildDocumentTree = buildDocumentTree): DocumentTrees {
  const trees = new Map<string, TaggedTree>();
  return {
    of(runbookId, source) {
      const key = `${runbookId}:${sha256(source)}`;
      const cached = trees.get(key);
      if (cached !== undefined) return cached;
      const tree = build(runbookId, source);
      const tagged = { tree, etag: `"${sha256(JSON.stringify(tree)).slice(0, 32)}"` };
      const [oldest] = trees.keys();
      if (trees.size >= maxTrees && oldest !== undefined) trees.delete(oldest);
      trees.set(key, tagged);
      return tagged;
    },
  };
}
