import { expect, it } from "@jest/globals";
import { decodeTextFile, isPassedOver, isRunbookFile } from "./text-file.ts";

it.each([
  ["cost.md", true],
  ["node/deep/disk.md", true],
  ["README.md", false],
  ["readme.md", false],
  ["node/ReadMe.md", false],
  ["my-readme.md", true],
  ["cost.markdown", false],
])("knows whether %s is a runbook: %s", (path, expected) => {
  expect(isRunbookFile(path)).toBe(expected);
});

it("passes over what is hidden and what was installed", () => {
  expect([".git", ".draft.md", "node_modules", "node"].map(isPassedOver)).toEqual([true, true, true, false]);
});

it("keeps the byte order mark of a text, and names the place of what is none", () => {
  expect(decodeTextFile("a.md", Buffer.from("\uFEFFcafé"))).toEqual({ file: "a.md", source: "\uFEFFcafé" });
  expect(decodeTextFile("a.md", Buffer.from("# A\ncaf\u00e9", "latin1"))).toMatchObject({
    source: "",
    fault: { severity: "error", rule: "encoding", file: "a.md", position: { line: 2, column: 4 } },
  });
});
