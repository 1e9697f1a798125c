import { expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { canonicalReference } from "./canonical-reference.ts";

it.each([
  "acme/shop#7",
  "Acme/Shop#7",
  "https://github.com/acme/shop/issues/7",
  "https://github.com/ACME/shop/pull/7",
  "https://www.github.com/acme/shop/issues/7/",
  "https://github.com/acme/shop/issues/7#issuecomment-1",
  "https://api.github.com/repos/acme/shop/issues/7",
  "github.com/acme/shop/issues/7",
  "acme/shop/issues/7",
])("takes %s for the same issue", (reference) => {
  expect(canonicalReference(reference)).toBe("acme/shop#7");
});

it.each([
  "SHOP-7",
  "shop-7",
  "acme/shop",
  "https://example.org/acme/shop/issues/7",
  "https://gitlab.com/a/b/-/issues/7",
  "group/sub/project#7",
  "#7",
])("leaves %s as it is", (reference) => {
  expect(canonicalReference(reference)).toBe(reference);
});

it("has one form for one issue, however it is written, and tells different ones apart", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
  const one = fc.record({ owner: name, repo: name, number: fc.nat() });
  const forms = ({ owner, repo, number }: { owner: string; repo: string; number: number }) => [
    `${owner}/${repo}#${number}`,
    `${owner.toUpperCase()}/${repo.toLowerCase()}#${number}`,
    `https://github.com/${owner}/${repo}/issues/${number}`,
  ];
  fc.assert(
    fc.property(one, one, (a, b) => {
      const isSame = `${a.owner}/${a.repo}#${a.number}`.toLowerCase() === `${b.owner}/${b.repo}#${b.number}`.toLowerCase();
      expect(new Set(forms(a).map(canonicalReference)).size).toBe(1);
      expect(canonicalReference(forms(a)[0] ?? "") === canonicalReference(forms(b)[0] ?? "")).toBe(isSame);
    }),
  );
});
