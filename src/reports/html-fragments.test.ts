import { expect, it } from "@jest/globals";
import { escapeHtml, factsTable, textTable } from "./html-fragments.ts";

it("escapes whatever could end a text or an attribute", () => {
  expect(escapeHtml(`&<>"'`)).toBe("&amp;&lt;&gt;&quot;&#39;");
  expect(escapeHtml("&lt;")).toBe("&amp;lt;");
});

it("escapes every cell", () => {
  expect(factsTable([["<a>", "<b>"]])).not.toMatch(/<[ab]>/);
  expect(textTable(["<a>"], [["<b>"]])).not.toMatch(/<[ab]>/);
});
