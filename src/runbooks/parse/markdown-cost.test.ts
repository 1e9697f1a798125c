import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { sampleCatalogue as catalogue } from "../../../test/builders/sample-catalogue.ts";
import { lintFolder } from "../lint/lint-folder.ts";
import { findMarkdownCost } from "./markdown-cost.ts";
import { maxDocumentBytes, parseRunbook } from "./parse-runbook.ts";

const rising = Array.from({ length: 400 }, (_, index) => "`".repeat(index + 1)).join(" ");
const nested = Array.from({ length: 300 }, (_, index) => `${"  ".repeat(index)}- a\n`).join("");

describe("findMarkdownCost", () => {
  it.each([
    ["backticks in rows of every length", rising, "backticks"],
    ["lists in lists, by indentation", nested, "nested"],
    ["lists in lists, in one line", `${"- ".repeat(3000)}a`, "nested"],
    ["numbered lists in one line", `${"1. ".repeat(3000)}a`, "nested"],
    ["quotes in quotes", `${"> ".repeat(5000)}a`, "nested"],
    ["quotes without spaces", `${">".repeat(5000)}a`, "nested"],
    ["quotes and lists in turn", `${"> * ".repeat(3000)}a`, "nested"],
    ["many items", "- a\n".repeat(20_000), "lines"],
    ["many items with another line end", "- a\r".repeat(20_000), "lines"],
    ["many empty lines", "\r\n".repeat(20_000), "lines"],
    ["brackets", "[^a]".repeat(10_000), "brackets"],
    ["closing brackets", "]".repeat(100_000), "brackets"],
    ["backslashes", "\\\\".repeat(60_000), "brackets"],
    ["YAML in YAML", `---\n${"a: [".repeat(20_000)}\n---\n`, "brackets"],
    ["emphasis", "*a _b ".repeat(10_000), "brackets"],
    ["tags", "<a ".repeat(10_000), "brackets"],
  ])("names %s, before they are parsed", (_, text, message) => {
    expect(findMarkdownCost(text)?.message).toContain(message);
    const source = `# A\n\n${text}`.slice(0, maxDocumentBytes);
    expect(parseRunbook({ file: "a.md", source, catalogue }).diagnostics).toMatchObject([{ rule: "too-complex", severity: "error" }]);
    const report = lintFolder({ runbooks: [{ file: "a.md", source }], rules: [], catalogue, exists: () => true });
    expect(report.diagnostics).toMatchObject([{ rule: "too-complex" }]);
  });

  it.each([
    ["a list of five levels", Array.from({ length: 5 }, (_, index) => `${"  ".repeat(index)}- a\n`).join("")],
    ["code that is indented deeply", `\`\`\`\n${" ".repeat(300)}x\n\`\`\``],
    ["a long table", `|a|b|\n|-|-|\n${"|x|y|\n".repeat(2000)}`],
    ["a thousand links", "See [a](b.md) and `c`.\n".repeat(1000)],
    ["thematic breaks", `${"- - -\n".repeat(3)}***\n`],
  ])("accepts %s", (_, text) => {
    expect(findMarkdownCost(text)).toBeUndefined();
  });

  it("leaves nothing that the parser cannot read: it answers whatever it accepts", () => {
    const piece = fc.constantFrom(
      "- ",
      "> ",
      "1. ",
      "  ",
      "\n",
      "`",
      "``",
      "[",
      "](",
      "<",
      "*",
      "_",
      "~~",
      "|",
      "```\n",
      "a",
      "&a;",
      "<!--",
      "\\",
      "![",
      "[^a]",
      "[^a]: ",
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, fc.integer({ min: 1, max: 40 })), { maxLength: 40 }), (pieces) => {
        const source = pieces.map(([text, times]) => text.repeat(times)).join("");
        expect(Array.isArray(parseRunbook({ file: "a.md", source, catalogue }).diagnostics)).toBe(true);
      }),
      { seed: 7, numRuns: 150 },
    );
  });
});
