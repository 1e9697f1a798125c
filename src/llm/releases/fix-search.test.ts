import { describe, expect, it } from "@jest/globals";
import { fixSearchOf } from "./fix-search.ts";
import { isNamed, maxFixes, rankFixes } from "./rank-fixes.ts";

const aFinding = { source: "scanner", ref: "desk-export-1", weakness: { cwe: [], owasp: [] }, location: {} };

describe("what a fix may name", () => {
  it("is every id of a finding, with the number of an alert only behind its kind", () => {
    const weakness = { cwe: ["CWE-1427"], owasp: [], cve: "CVE-2026-1234", ghsa: "GHSA-jf85-cpcp-j695" };
    expect(fixSearchOf([{ ...aFinding, source: "github-code-scanning", ref: "acme/desk#12", weakness }, aFinding]).references).toEqual([
      "CVE-2026-1234",
      "GHSA-jf85-cpcp-j695",
      "code-scanning/12",
      "desk-export-1",
    ]);
  });

  it("is a package without its registry and its version", () => {
    const packages = ["npm/@acme/desk", "lodash 4.17.20", "npm/lodash"].map((name) => ({ ...aFinding, location: { package: name } }));
    expect(fixSearchOf(packages).packages).toEqual(["npm/@acme/desk", "@acme/desk", "lodash", "npm/lodash"]);
  });
});

describe("a name in a text", () => {
  it.each([
    ["CVE-2026-1234", "Closes cve-2026-1234.", true],
    ["CVE-2026-1234", "Closes CVE-2026-12345", false],
    ["code-scanning/1", "see security/code-scanning/1", true],
    ["code-scanning/1", "see security/code-scanning/12", false],
    ["lodash", "Bump lodash from 4.17.20 to 4.17.21", true],
    ["lodash", "dependabot/npm_and_yarn/lodash-4.17.21", true],
    ["lodash", "Bump lodash-es from 4 to 5", false],
    ["lodash", "Bump lodash.merge from 4 to 5", false],
    ["lodash", "mylodash", false],
    ["@acme/desk", "Bump @acme/desk from 1 to 2", true],
    ["12", "Release 12", false],
    ["", "anything", false],
    ["qs", "Bump qs from 6 to 7", true],
  ])("%s in %j: %p", (name, text, expected) => {
    expect(isNamed(name, text)).toBe(expected);
  });

  it("is looked for in linear time", () => {
    expect(isNamed(`${"a-".repeat(90)}b`, "a-".repeat(50_000))).toBe(false);
  });
});

it("offers no more than a person can read, and nothing that names nothing", () => {
  const changes = Array.from({ length: 50 }, (_, nth) => ({ branch: `hotfix/${nth}`, title: "Fix", text: "" }));
  const ranked = rankFixes([{ branch: "feature/x", title: "CVE-2026", text: "" }, ...changes], {
    references: ["CVE-2026-1234"],
    packages: [],
  });
  expect(ranked).toEqual(changes.slice(0, maxFixes));
});
