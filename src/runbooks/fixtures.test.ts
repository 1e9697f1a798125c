import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import { sampleCatalogue } from "../../test/builders/sample-catalogue.ts";
import { formatDiagnostic } from "./lint/lint-format.ts";
import { parseRunbook } from "./parse/parse-runbook.ts";

const folder = new URL("fixtures/", import.meta.url);
const names = readdirSync(folder);

function read(name: string) {
  const source = readFileSync(new URL(name, folder), "utf8");
  const id = name.replace(/\.(?:good|bad)\.md$/u, "");
  return parseRunbook({ file: `${id}.md`, source, catalogue: sampleCatalogue });
}

/** What the document means, without where it stands. */
function meaning(runbook: Runbook | undefined): unknown {
  const text = JSON.stringify({ ...runbook, source: undefined, sha256: undefined, prose: undefined }, (key, field: unknown) =>
    key === "position" ? undefined : field,
  );
  return JSON.parse(text);
}

describe("every good document is read as written beside it", () => {
  it.each(names.filter((name) => name.endsWith(".good.md")))("%s", (name) => {
    const { runbook, diagnostics } = read(name);
    expect(diagnostics.filter((one) => one.severity === "error")).toEqual([]);
    const file = new URL(name.replace(/\.md$/u, ".json"), folder);
    if (process.env["UPDATE_FIXTURES"] === "1") writeFileSync(file, `${JSON.stringify(meaning(runbook), undefined, 2)}\n`);
    expect(meaning(runbook)).toEqual(JSON.parse(readFileSync(file, "utf8")));
  });
});

describe("every bad document gets exactly the diagnostics written beside it", () => {
  it.each(names.filter((name) => name.endsWith(".bad.md")))("%s", (name) => {
    const { runbook, diagnostics } = read(name);
    const text = diagnostics.map((one) => `${formatDiagnostic(one)}\n`).join("");
    const file = new URL(name.replace(/\.md$/u, ".txt"), folder);
    if (process.env["UPDATE_FIXTURES"] === "1") writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, "utf8"));
    expect(text).not.toBe("");
    expect(runbook === undefined).toBe(diagnostics.some((one) => one.severity === "error"));
  });
});

it("has the expected result beside every document, and no result without a document", () => {
  for (const name of names) {
    const partner = name.endsWith(".md")
      ? name.replace(/\.md$/u, name.endsWith(".good.md") ? ".json" : ".txt")
      : name.replace(/\.(?:json|txt)$/u, ".md");
    expect({ name, exists: existsSync(new URL(partner, folder)) }).toEqual({ name, exists: true });
  }
});
