import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { sampleCatalogue as catalogue } from "../../../test/builders/sample-catalogue.ts";
import { maxDocumentBytes, parseRunbook } from "./parse-runbook.ts";

const parse = (source: string) => parseRunbook({ file: "sample.md", source, catalogue });
const document = (procedure: string) => `# Sample\n\n## Scenario\nSomething.\n\n## Procedure\n\n${procedure}\n`;
const rulesOf = (source: string) => parse(source).diagnostics.map((one) => one.rule);

describe("limits", () => {
  it("refuses a document of more than 128 KiB without parsing it", () => {
    const { runbook, diagnostics } = parse(document("1. **A**: x".padEnd(maxDocumentBytes, "x")));
    expect(runbook).toBeUndefined();
    expect(diagnostics.map((one) => one.rule)).toEqual(["too-large"]);
  });

  it("refuses more than 100 steps", () => {
    const steps = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1}. **Step ${index + 1}**: x`).join("\n");
    expect(rulesOf(document(steps(101)))).toEqual(["too-many-steps"]);
    expect(parse(document(steps(100))).runbook?.steps).toHaveLength(100);
  });

  it("refuses a file name that is no id", () => {
    const { diagnostics } = parseRunbook({ file: "runbooks/Cost Incident.md", source: document("1. **A**: x"), catalogue });
    expect(diagnostics.map((one) => one.rule)).toEqual(["file-name"]);
  });

  it("answers thousands of nested lists and braces in time, without an exception", () => {
    for (const text of ["- ".repeat(5000), "> ".repeat(5000), "[".repeat(5000), "*a".repeat(5000), "${{".repeat(5000)]) {
      expect(parse(document(`1. **A**: ${text}`)).diagnostics).toBeDefined();
    }
  });
});

describe("front matter that is no plain YAML", () => {
  const withFront = (front: string) => `${front}\n${document("1. **A**: x")}`;
  it.each([
    ["---js", "---js\nmodule.exports = {}\n---"],
    ["---javascript", "---javascript\nx\n---"],
    ["---coffee", "---coffee\nx = 1\n---"],
    ["---json5", "---json5\n{}\n---"],
    ["TOML", '+++\nmode = "auto"\n+++'],
    ["JSON", ";;;\n{}\n;;;"],
    ["not closed", "---\nmode: auto"],
    ["a second one", "---\nmode: auto\n---\n---\nmode: observe\n---"],
    ["a repeated key", "---\nmode: auto\nmode: observe\n---"],
    ["tabs", "---\nparams:\n\ta: { type: string }\n---"],
    ["an anchor", "---\nowner: &a x\n---"],
    ["an alias", "---\nowner: &a x\ntags: [*a]\n---"],
    ["a function tag", '---\nowner: !!js/function "x"\n---'],
    ["a Python tag", "---\nowner: !!python/object x\n---"],
    ["a local tag", "---\nowner: !mine x\n---"],
    ["a core tag", "---\nowner: !!str 5\n---"],
    ["a merge key", "---\nparams:\n  <<: { a: { type: string } }\n---"],
    ["a key that is a prototype", "---\nparams:\n  __proto__: { type: string }\n---"],
    ["a directive", "---\n%YAML 1.1\n---"],
    ["a number as key", "---\n5: x\n---"],
    ["a list", "---\n- mode\n---"],
    ["a text", "---\nmode\n---"],
  ])("refuses %s", (_, front) => {
    expect(parse(withFront(front)).runbook).toBeUndefined();
  });

  it("refuses an alias bomb without expanding it", () => {
    const levels = Array.from({ length: 9 }, (_, index) => `l${index + 1}: &l${index + 1} [${Array(9).fill(`*l${index}`).join(", ")}]`);
    const { runbook, diagnostics } = parse(withFront(`---\nl0: &l0 [x]\n${levels.join("\n")}\n---`));
    expect(runbook).toBeUndefined();
    expect(diagnostics[0]?.rule).toBe("yaml");
  });

  it.each(["no", "yes", "on", '"true"'])("does not take %s for a boolean", (written) => {
    expect(rulesOf(withFront(`---\nparams:\n  a: { type: boolean, default: ${written} }\n---`))).toEqual(["front-matter"]);
  });
});

describe("positions", () => {
  const source = document("1. **A**: x\n   - Action: `nothing`");
  const positionIn = (text: string) => parse(text).diagnostics[0]?.position;

  it("are equal for LF, CRLF and CR", () => {
    expect(positionIn(source)).toEqual({ line: 9, column: 15 });
    expect(positionIn(source.replaceAll("\n", "\r\n"))).toEqual({ line: 9, column: 15 });
    expect(positionIn(source.replaceAll("\n", "\r"))).toEqual({ line: 9, column: 15 });
  });

  it("count characters and a byte order mark of the file as it is", () => {
    expect(positionIn(source.replace("- Action", "- **Action**"))).toEqual({ line: 9, column: 19 });
    expect(positionIn(document("1. **👋**: x"))).toEqual({ line: 8, column: 1 });
    expect(positionIn(`\uFEFF---\nmode: x\n---\n${source}`)).toEqual({ line: 2, column: 7 });
  });

  it("point into indented fences and quoted values", () => {
    const { diagnostics } = parse(document('1. **A**: x\n   - Action: `pause`\n     ```yaml\n     budget: "${{ nope }}"\n     ```'));
    expect(diagnostics.find((one) => one.rule === "expression")?.position).toEqual({ line: 11, column: 19 });
  });
});

it("tells every fault of a document at once, in the order of the file", () => {
  const { diagnostics } = parse(
    `---\nmode: x\nowner: 5\n---\n${document("1. **A**: x\n   - Action: `nothing`\n   - Timeout: x\n3. **B**: y\n   - When: `nope`")}`,
  );
  const errors = diagnostics.filter((one) => one.severity === "error");
  expect(errors.map((one) => one.rule)).toEqual([
    "front-matter",
    "front-matter",
    "unknown-action",
    "duration",
    "step-number",
    "expression",
  ]);
});

it("never loads a value of a parameter that breaks the schema, and never keeps one that is a template from being proven later", () => {
  const withBudget = (value: string) =>
    document(
      `1. **A**: x\n   - Action: \`limit\`\n     \`\`\`yaml\n     concurrency: ${value}\n     \`\`\`\n\n## Verification\n- \`1 == 1\``,
    );
  expect(parse(withBudget("-1")).runbook).toBeUndefined();
  expect(parse(withBudget('"4"')).runbook).toBeUndefined();
  expect(parse(withBudget("${{ 4 }}")).runbook?.steps[0]?.action?.parameters).toEqual({ concurrency: "${{ 4 }}" });
});

describe("no step is ever silently dropped", () => {
  const indent = fc.constantFrom("", "", "", " ", "  ", "   ", "    ", "      ", "\t");
  const line = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("step" as const),
        indent,
        mark: fc.constantFrom("**", "**", "**", "__"),
        end: fc.constantFrom(".", ".", ".", ")"),
        box: fc.constantFrom("", "", "[ ] ", "[x] "),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("text" as const),
        indent,
        text: fc.constantFrom(
          "",
          "",
          "Some words.",
          "- Action: `look`",
          "- a note",
          "1. a nested item",
          "* - deep",
          "### A section",
          "#### Deeper",
          "> quoted",
          "| a | b |",
          "|---|---|",
          "<div>",
          "</div>",
          "<!-- a comment -->",
          "---",
          "***",
          "===",
          "[a]: /b 'c",
          "`code",
          "**bold",
          "<details>",
          "- [ ] - If this fails: stop",
          "\\",
        ),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("fence" as const),
        indent,
        text: fc.constantFrom("```sh", "~~~", "```yaml", "````", "<!--", "-->", "```"),
      }),
    },
  );
  const ending = fc.constantFrom("\n", "\n", "\r\n");

  it("in whatever way lines are indented, nested, fenced and ended", () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 14 }),
        ending,
        fc.boolean(),
        fc.boolean(),
        (lines, eol, bom, isProcedureFirst) => {
          const names: string[] = [];
          const isHiding = lines.some((one) => one.kind === "fence");
          const body = lines.map((one) => {
            if (one.kind !== "step") return one.indent + one.text;
            names.push(`Step ${names.length + 1}`);
            return `${one.indent}${names.length}${one.end} ${one.box}${one.mark}Step ${names.length}${one.mark}: do it`;
          });
          const procedure = ["## Procedure", "", ...body, ""];
          const scenario = ["## Scenario", "Words.", ""];
          const all = isProcedureFirst ? [...procedure, ...scenario] : [...scenario, ...procedure];
          const { runbook } = parse((bom ? "\uFEFF" : "") + all.join(eol));
          // A fence or a comment that is closed hides on purpose; a hidden step shows as a gap unless it is the last.
          if (runbook === undefined || isHiding) return;
          expect(runbook.steps.map((step) => step.name)).toEqual(names);
        },
      ),
      { numRuns: 500, seed: 7 },
    );
  });

  it("behind a fence or a comment either: those steps are read, or there is an error", () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 10 }),
        fc.constantFrom("```sh", "<!--", "~~~"),
        indent,
        (before, opening, by) => {
          const text = before.flatMap((one) => (one.kind === "step" ? [] : [one.indent + one.text]));
          const closing = opening === "<!--" ? "-->" : opening.slice(0, 3);
          const source = document(["1. **First**: x", ...text, by + opening, "hidden", by + closing, "", "2. **Last**: y"].join("\n"));
          const { runbook } = parse(source);
          const names = runbook?.steps.map((step) => step.name) ?? "an error was told";
          expect(["an error was told", ["First", "Last"]]).toContainEqual(names);
        },
      ),
      { numRuns: 500, seed: 7 },
    );
  });

  it("and no text at all makes the parser throw", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (text) => {
        expect(parse(document(`1. **A**: x\n   - ${text}`)).diagnostics).toBeDefined();
        expect(parse(text).diagnostics).toBeDefined();
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});
