import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { type Block, type DocumentTree, documentTreeSchema, type Inline } from "../../../packages/sdk/src/wire/document-tree.ts";
import { actionCatalogue } from "../../app/action-registry.ts";
import { buildDocumentTree } from "./build-document-tree.ts";
import { maxDocumentBytes, parseRunbook } from "./parse-runbook.ts";

const shipped = new URL("../../../runbooks/", import.meta.url);
const names = readdirSync(shipped).filter((name) => name.endsWith(".md") && name !== "README.md");

type Tree = DocumentTree["children"];

function nodesOf(nodes: readonly (Block | Inline)[]): (Block | Inline)[] {
  return nodes.flatMap((node) => {
    const lists: readonly (readonly (Block | Inline)[])[] =
      node.type === "list" ? node.items : node.type === "table" ? [node.header, ...node.rows].flat() : [];
    return [node, ...nodesOf("children" in node ? node.children : []), ...lists.flatMap((list) => nodesOf(list))];
  });
}

const stepsOf = (children: Tree) => nodesOf(children).flatMap((node) => (node.type === "step" ? [node] : []));
const hrefsOf = (children: Tree) => nodesOf(children).flatMap((node) => ("href" in node && node.href !== undefined ? [node.href] : []));
const treeOf = (source: string) => documentTreeSchema.parse(buildDocumentTree("a", source));
const inlinesOf = (source: string) =>
  treeOf(source).children.flatMap((block): readonly (Block | Inline)[] => ("children" in block ? block.children : []));

describe.each(names)("%s", (name) => {
  const source = readFileSync(new URL(name, shipped), "utf8");
  const id = name.replace(/\.md$/u, "");
  const { runbook } = parseRunbook({ file: name, source, catalogue: actionCatalogue });
  const tree = documentTreeSchema.parse(buildDocumentTree(id, source));

  it("has the steps that the engine runs", () => {
    const steps = stepsOf(tree.children).map(({ id: step, name: called, number }) => ({ id: step, name: called, number }));
    expect(steps).toEqual(runbook?.steps.map(({ id: step, name: called, number }) => ({ id: step, name: called, number })));
    expect(tree).toMatchObject({ runbook: id, title: runbook?.title, sha256: runbook?.sha256 });
  });

  it("loses no word of the document", () => {
    const body = source.replace(/^---\n[\s\S]*?\n---\n/u, "").replace(/^# .*$/mu, "");
    const shown = JSON.stringify(tree.children).replaceAll("\\n", " ");
    expect((body.match(/[A-Za-z_]{3,}/gu) ?? []).filter((word) => !shown.includes(word) && word !== "yaml" && word !== "promql")).toEqual(
      [],
    );
  });
});

describe("a step", () => {
  const source = [
    "# T",
    "",
    "## Scenario",
    "Text.",
    "",
    "## Procedure",
    "1. **Stop it**: now, *at once*.",
    "   - Action: `wait`",
    "     ```yaml",
    "     for: 1s",
    "     ```",
    "2. without a name",
    "3. **Look**",
    "",
    "Then:",
    "",
    "4. **Leave:** go",
  ].join("\n");

  it("begins behind its name and holds its bullets", () => {
    const [first, second, third] = stepsOf(treeOf(source).children);
    expect(first).toEqual({
      type: "step",
      id: "stop_it",
      number: 1,
      name: "Stop it",
      children: [
        {
          type: "paragraph",
          children: [
            { type: "text", text: "now, " },
            { type: "emphasis", children: [{ type: "text", text: "at once" }] },
            { type: "text", text: "." },
          ],
        },
        {
          type: "list",
          ordered: false,
          items: [
            [
              {
                type: "paragraph",
                children: [
                  { type: "text", text: "Action: " },
                  { type: "code", text: "wait" },
                ],
              },
              { type: "code", language: "yaml", text: "for: 1s" },
            ],
          ],
        },
      ],
    });
    expect(second).toEqual({ type: "step", id: "look", number: 2, name: "Look", children: [] });
    expect(third).toMatchObject({ number: 3, name: "Leave", children: [{ children: [{ type: "text", text: "go" }] }] });
  });

  it("leaves an item that is none in its list, under its number", () => {
    expect(treeOf(source).children).toContainEqual({
      type: "list",
      ordered: true,
      start: 2,
      items: [[{ type: "paragraph", children: [{ type: "text", text: "without a name" }] }]],
    });
  });

  it("stands under Procedure alone", () => {
    expect(stepsOf(treeOf("# T\n\n## Scenario\n1. **Not run**: a list").children)).toEqual([]);
  });
});

describe("every kind of block", () => {
  it("is read as it is written", () => {
    const source =
      '# Title\n\nA\\\nB\n\n- [x] done\n- [ ] open\n\n5. e\n\n> q\n\n---\n\n```sh "x"\necho\n```\n\n| h | **i** |\n|---|---|\n| c |\n\nTitle\n=====\n';
    expect(treeOf(source).children).toEqual([
      { type: "paragraph", children: [{ type: "text", text: "A" }, { type: "break" }, { type: "text", text: "B" }] },
      {
        type: "list",
        ordered: false,
        items: ["[x] ", "[ ] "].map((box, index) => [
          {
            type: "paragraph",
            children: [
              { type: "text", text: box },
              { type: "text", text: index === 0 ? "done" : "open" },
            ],
          },
        ]),
      },
      { type: "list", ordered: true, start: 5, items: [[{ type: "paragraph", children: [{ type: "text", text: "e" }] }]] },
      { type: "quote", children: [{ type: "paragraph", children: [{ type: "text", text: "q" }] }] },
      { type: "rule" },
      { type: "code", language: "sh", text: "echo" },
      {
        type: "table",
        header: [[{ type: "text", text: "h" }], [{ type: "strong", children: [{ type: "text", text: "i" }] }]],
        rows: [[[{ type: "text", text: "c" }]]],
      },
      { type: "heading", level: 1, id: "title", children: [{ type: "text", text: "Title" }] },
    ]);
  });

  it("has one id for each heading, and none that a step has", () => {
    const source = "# T\n\n## A b\n\n## A b\n\n## A b-1\n\n## Step 1\n\n## !\n\n## Procedure\n1. **Stop**: x\n";
    const ids = treeOf(source).children.flatMap((block) => (block.type === "heading" ? [block.id] : []));
    expect(ids).toEqual(["a-b", "a-b-1", "a-b-1-1", "step-1-1", "section", "procedure"]);
  });
});

describe("hostile Markdown", () => {
  it.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- hidden -->",
    "<details open ontoggle=alert(1)>",
    "a[^1]\n\n[^1]: note",
  ])("%j is shown as its source", (source) => {
    const nodes = nodesOf(treeOf(source).children);
    const shown = nodes.map((node) => ("text" in node ? node.text : "")).join("");
    expect(nodes.map(({ type }) => type)).toContain("raw");
    expect(shown).toContain(source.split("\n").at(-1));
  });

  it.each([
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](<java\tscript:alert(1)>)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "[x](//evil.example)",
    "[x](/api/runs)",
    "[x](https:evil.example)",
    "[x](https://bank.example@evil.example/)",
    "[x](../../etc/passwd)",
    "[x](mailto:a@b.example)",
    `[x](https://a.example/${"a".repeat(2000)})`,
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml,<svg/onload=alert(1)>)",
    "<javascript:alert(1)>",
  ])("%s is no link", (source) => {
    expect(hrefsOf(treeOf(source).children)).toEqual([]);
    expect(inlinesOf(source)[0]).toMatchObject({ type: "raw" });
  });

  it("keeps the links that are permitted, normalized", () => {
    const source =
      '[a](https://x.example/a"b) [b](#a-b) [c](disk-full.md#procedure) <HTTP://Y.example> ![d](https://z.example/i.png) [e][ref]\n\n[ref]: https://r.example\n[ref]: https://second.example\n';
    expect(hrefsOf(treeOf(source).children)).toEqual([
      "https://x.example/a%22b",
      "#a-b",
      "/runbooks/disk-full#procedure",
      "http://y.example/",
      "https://z.example/i.png",
      "https://r.example/",
    ]);
  });

  it("writes out characters that turn or hide text, wherever they are", () => {
    const source =
      "# T\u202E\n\n## H\u200B\n\na\u202Eb `c\u2066d` ![e\u202E](https://x.example)\n\n```y\u202E\nz\u200D\n```\n\n<b\u202E>\n\n## Procedure\n1. **N\u202Ex**: y";
    expect(JSON.stringify(treeOf(source))).not.toMatch(/[\u200B-\u200F\u202A-\u202E\u2066-\u2069]/u);
    expect(JSON.stringify(treeOf(source))).toContain("a\\\\u202eb");
  });

  it("stays small and shallow whatever is nested or repeated", () => {
    const deep = `${"*a **b ".repeat(1200)}c${"** *".repeat(1200)}`;
    const references = `${"[a] ".repeat(2000)}\n\n[a]: https://x.example/${"a".repeat(60_000)}`;
    const depthOf = (value: unknown): number =>
      typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map((field) => depthOf(field))) : 0;
    for (const source of [deep, references]) {
      const tree = treeOf(source);
      expect(JSON.stringify(tree).length).toBeLessThan(30 * source.length);
      expect(depthOf(tree)).toBeLessThan(100);
    }
  });

  it("is one raw node when parsing it would cost too much", () => {
    for (const source of [`${">".repeat(5000)} a`, "a".repeat(maxDocumentBytes + 1)])
      expect(treeOf(source).children).toEqual([{ type: "raw", text: source.slice(0, maxDocumentBytes) }]);
  });

  it("never leaves the closed set", () => {
    const piece = fc.constantFrom(
      "# ",
      "## Procedure\n",
      "1. **a**: ",
      "- ",
      "> ",
      "`",
      "```\n",
      "[",
      "](",
      ")",
      "<b>",
      "![",
      "|",
      "\n|-|\n",
      "*",
      "~~",
      "\n",
      "\n\n",
      "   ",
      "javascript:",
      "https://a",
      "[^1]",
      "---\n",
      "a",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        expect(documentTreeSchema.safeParse(buildDocumentTree("a", pieces.join(""))).success).toBe(true);
      }),
    );
  });
});
