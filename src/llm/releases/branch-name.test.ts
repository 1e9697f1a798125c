import { expect, it } from "@jest/globals";
import { isBranchName } from "./branch-name.ts";

it.each([
  ["main", true],
  ["hotfix/export-scope", true],
  ["dependabot/npm_and_yarn/lodash-4.17.21", true],
  ["hotfix/ü", true],
  ["", false],
  ["@", false],
  ["--all", false],
  ["a b", false],
  ["a\n", false],
  ["../main", false],
  ["a/../b", false],
  ["a//b", false],
  ["/a", false],
  ["a/", false],
  ["a/.b", false],
  ["a.", false],
  ["a.lock", false],
  ["a^", false],
  ["a:b", false],
  ["a@{1}", false],
  ["a\\b", false],
  ["\ud800", false],
  ["a".repeat(251), false],
])("%j as the name of a branch: %p", (text, expected) => {
  expect(isBranchName(text)).toBe(expected);
});
