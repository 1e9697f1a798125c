import { expect, it } from "@jest/globals";
import { documentTreeSchema } from "./document-tree.ts";

const treeOf = (href: string) => ({
  runbook: "a",
  sha256: "0",
  title: "A",
  children: [{ type: "paragraph", children: [{ type: "link", href, children: [{ type: "text", text: "there" }] }] }],
});

it.each(["https://example.com/a", "http://localhost:3000", "#step-2", "/runbooks/watchdog"])("permits a link to %s", (href) => {
  expect(documentTreeSchema.safeParse(treeOf(href)).success).toBe(true);
});

it.each([
  "javascript:alert(1)",
  "data:text/html,x",
  "//evil.example",
  "/runbooks//evil.example",
  "/api/runs",
  "other.md",
  " https://a",
  "x#https://",
])("permits no link to %s", (href) => {
  expect(documentTreeSchema.safeParse(treeOf(href)).success).toBe(false);
});

it("holds no node outside the closed set", () => {
  const html = { ...treeOf("#a"), children: [{ type: "html", text: "<b>" }] };
  expect(documentTreeSchema.safeParse(html).success).toBe(false);
});
