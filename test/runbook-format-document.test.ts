import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { actionCatalogue } from "../src/app/action-registry.ts";
import { packageFolder } from "../src/cli/process-context.ts";
import { fillGeneratedParts } from "../src/cli/references/generated-parts.ts";
import { checkExpression } from "../src/runbooks/expressions/check-expression.ts";
import { parseRunbook } from "../src/runbooks/parse/parse-runbook.ts";

/** What docs/runbook-format.md shows is parsed by the parser that the engine uses. */
const page = readFileSync(join(packageFolder(), "docs/runbook-format.md"), "utf8");
const blocks = [...page.matchAll(/^```markdown\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);

const frontMatter = `---
params:
  budget: { type: string, default: checkout }
  job: { type: string, default: shop }
track: { waiting: sum(queue_messages) }
---
`;
const scenario = "# Runbook: Example\n\n## Scenario\nAn example.\n\n";
const procedure = "## Procedure\n\n1. **Look**: What is to be seen?\n\n";

/** A block is a whole document, a section or more, or a list of steps. */
function documentOf(block: string): string {
  if (block.includes("# Runbook:")) return block;
  if (block.startsWith("## ")) return `${frontMatter}${scenario}${procedure}${block}`;
  return `${frontMatter}${scenario}## Procedure\n\n${block}`;
}

// A step that changes something without a Verification, and a heading under another name, are warnings that an example may have.
const faultsOf = (source: string) =>
  parseRunbook({ file: "example.md", source, catalogue: actionCatalogue }).diagnostics.filter(({ severity }) => severity === "error");

it("finds the blocks of the page", () => {
  expect(blocks.length).toBeGreaterThan(10);
  expect(page.match(/^```markdown$/gm)).toHaveLength(blocks.length);
});

it.each(blocks.map((block) => [block.split("\n").find((line) => line.includes("**") || line.startsWith("## ")) ?? "", block]))(
  "parses the block with %s",
  (_name, block) => {
    expect(faultsOf(documentOf(block))).toEqual([]);
  },
);

it("would notice a block that is wrong", () => {
  expect(faultsOf(documentOf("1. **Look**: Now.\n   - Timeout: soon\n"))).not.toEqual([]);
});

it("shows only expressions that hold where a step's Expected is", () => {
  const section = page.slice(page.indexOf("| expression | is |"), page.indexOf("## Templates"));
  const shown = [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, source = ""]) => source);
  expect(shown.length).toBeGreaterThan(6);
  const names = {
    roots: ["alert", "params", "steps", "result", "before", "now", "run"],
    params: ["budget", "job"],
    steps: ["measure"],
    metrics: ["waiting"],
  } as const;
  expect(shown.map((source) => checkExpression(source, names)).filter(({ ok }) => !ok)).toEqual([]);
});

it("names every rule that lint has", () => {
  const folder = join(packageFolder(), "src/runbooks");
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /(?<!\.test)\.ts$/.test(name));
  const rules = sources.flatMap((name) =>
    [...readFileSync(join(folder, name), "utf8").matchAll(/\brule: "([a-z-]+)"/g)].map(([, rule = ""]) => rule),
  );
  const section = page.slice(page.indexOf("## Rules of lint"));
  const named = [...section.matchAll(/`([a-z][a-z-]+)`/g)].map(([, rule = ""]) => rule);
  expect(rules.length).toBeGreaterThan(60);
  expect([...new Set(rules)].filter((rule) => !named.includes(rule))).toEqual([]);
  expect(named.filter((rule) => !rules.includes(rule))).toEqual([]);
});

it("refuses a page whose generated parts are not those of the code", () => {
  const text = "<!-- generated: a -->\nold\n<!-- end of generated: a -->\n";
  expect(fillGeneratedParts(text, { a: "new" })).toBe("<!-- generated: a -->\nnew\n<!-- end of generated: a -->\n");
  expect(() => fillGeneratedParts(text, {})).toThrow("a, which nothing generates");
  expect(() => fillGeneratedParts(text, { a: "new", b: "more" })).toThrow("no place for the generated parts b");
});
