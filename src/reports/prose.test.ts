import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { proseToHtml, proseToText } from "./prose.ts";

/** What stands in the one block that holds a text as it is written. */
const shown = (text: string) => /^<div style="[^"]*">([^]*)<\/div>$/u.exec(proseToHtml(text))?.[1];

describe("prose that would take the parser too long", () => {
  it.each([
    ["backticks in rows of every length", Array.from({ length: 150 }, (_, index) => "`".repeat(index + 1)).join(" ")],
    ["open brackets", "[".repeat(19_000)],
    ["nested quotes", `${">".repeat(9000)} end`],
    ["nested lists", `${"- ".repeat(5000)}end`],
    // The parser meets these only after the marks between them were taken out.
    ["backticks with invisible marks between", "`\u200b".repeat(6000)],
  ])("is shown as it is written: %s", (_name, text) => {
    const clean = text.replaceAll("\u200b", "");
    expect(proseToText(text, "  ")).toBe(`  ${clean}`);
    expect(shown(text)).toBe(clean.replaceAll(">", "&gt;"));
  });

  it("escapes whatever it holds", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(shown(`${">".repeat(40)}<script>${text}`)).not.toMatch(/[<>"]/u);
      }),
      { seed: 12 },
    );
  });
});

it("reads what people write", () => {
  expect(proseToHtml("See **this** and `that`.")).toContain("<strong>this</strong>");
  expect(proseToText("1. one\n2. two")).toBe("1. one\n2. two");
});
