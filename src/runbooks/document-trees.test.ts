import { expect, it } from "@jest/globals";
import { createDocumentTrees } from "./document-trees.ts";
import { buildDocumentTree } from "./parse/build-document-tree.ts";

it("parses a document once, under each id that it has", () => {
  const built: string[] = [];
  const trees = createDocumentTrees((id, source) => {
    built.push(id);
    return buildDocumentTree(id, source);
  });
  const first = trees.of("a", "# A");
  expect(trees.of("a", "# A")).toBe(first);
  expect(trees.of("b", "no title").tree.title).toBe("b");
  expect(built).toEqual(["a", "b"]);
});

it("gives trees that differ different tags", () => {
  const trees = createDocumentTrees();
  const tags = [trees.of("a", "x"), trees.of("a", "y"), trees.of("b", "x")].map(({ etag }) => etag);
  expect(new Set(tags).size).toBe(3);
});

it("keeps a bounded number of trees", () => {
  let built = 0;
  const trees = createDocumentTrees((id, source) => {
    built += 1;
    return buildDocumentTree(id, source);
  });
  for (let count = 0; count < 40; count += 1) trees.of("a", String(count));
  trees.of("a", "39");
  expect(built).toBe(40);
  trees.of("a", "0");
  expect(built).toBe(41);
});
