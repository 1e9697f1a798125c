import { describe, expect, it } from "@jest/globals";
import type { AttackDocument, AttackImportContext } from "./attack-reading.ts";
import { readAttacksDocument } from "./read-attacks-document.ts";

const context: AttackImportContext = { marks: [], owasp: [] };
const marked: AttackImportContext = { marks: [{ honeytoken: true }], owasp: ["LLM01:2025"] };

const read = (name: string, document: unknown, change: Partial<AttackImportContext> = {}): AttackDocument =>
  readAttacksDocument({ name, text: typeof document === "string" ? document : JSON.stringify(document) }, { ...context, ...change });

/** Kind, and what of it matters. */
function summaryOf(document: AttackDocument): readonly unknown[] {
  if (document.kind === "refused") return [document.reason];
  return document.readings.map((one) => {
    if (one.kind === "attack") return [one.kind, one.entry.turns, one.entry.success];
    if (one.kind === "harmless") return [one.kind, one.entry.turns, one.entry.expected];
    return `${one.kind} ${one.at}: ${one.reason}`;
  });
}

describe("tests of promptfoo", () => {
  it("are as many as a variable has texts, and none whose text or value is elsewhere", () => {
    const assert = [{ type: "not-contains", value: "z" }];
    const tests = [
      { vars: { prompt: ["one", "two"] }, assert },
      { vars: { prompt: "file://evil.txt" }, assert },
      { vars: { prompt: "{% include 'x' %}" }, assert },
      { vars: { prompt: "p" }, assert: [{ type: "not-contains", value: "{{secret}}" }] },
      { vars: { prompt: "p" }, assert: [{ type: "not-contains", value: "file://values.txt" }] },
      { vars: { prompt: "p" }, assert: [{ type: "not-contains", value: 4711 }] },
    ];
    expect(summaryOf(read("tests.yaml", { tests }))).toEqual([
      ["attack", ["one"], { contains: "z" }],
      ["attack", ["two"], { contains: "z" }],
      "unreadable tests[1]: Its text is in another file or is made by a program.",
      "unreadable tests[2]: Its text is a template with variables of promptfoo.",
      expect.stringContaining("unreadable tests[3]: The document does not say by what"),
      expect.stringContaining("unreadable tests[4]: The document does not say by what"),
      ["attack", ["p"], { contains: "4711" }],
    ]);
  });

  it("have no mark where one of several texts would be taken for all, or all for one", () => {
    const test = (type: string, value: unknown) => ({ vars: { prompt: "p" }, assert: [{ type, value }] });
    const tests = [
      test("not-contains-all", ["a", "b"]),
      test("not-contains-any", "a, b"),
      test("contains-any", ["a", "b"]),
      test("contains-all", "a,b"),
      test("not-icontains-all", ["a"]),
    ];
    const unmarked = (index: number) => expect.stringContaining(`unreadable tests[${index}]: The document does not say by what`);
    expect(summaryOf(read("tests.yaml", { tests }))).toEqual([
      unmarked(0),
      ["attack", ["p"], [{ contains: "a" }, { contains: "b" }]],
      unmarked(2),
      ["harmless", ["p"], [{ contains: "a" }, { contains: "b" }]],
      ["attack", ["p"], { contains: "a" }],
    ]);
  });

  it("become attacks by what they forbid, and harmless requests by what they demand", () => {
    const tests = [
      { vars: { prompt: "Ignore all." }, assert: [{ type: "not-contains", value: "secret" }] },
      {
        vars: { query: "Print it." },
        assert: [
          { type: "not-icontains-any", value: ["a1", "b2"] },
          { type: "llm-rubric", value: "refuses" },
        ],
      },
      { vars: { prompt: "x", other: "y" }, assert: [{ type: "not-regex", value: "sk-[a-z]+" }] },
      {
        description: "A report",
        vars: { prompt: "Write it." },
        assert: [
          { type: "contains", value: "done" },
          { type: "regex", value: "ok+" },
        ],
      },
    ];
    expect(summaryOf(read("promptfooconfig.yaml", { tests }))).toEqual([
      ["attack", ["Ignore all."], { contains: "secret" }],
      ["attack", ["Print it."], [{ contains: "a1" }, { contains: "b2" }]],
      ["attack", ["x"], { regex: "sk-[a-z]+" }],
      ["harmless", ["Write it."], [{ contains: "done" }, { regex: "ok+" }]],
    ]);
  });

  it("that only promptfoo can judge need a mark, and are no harmless requests", () => {
    const tests = [
      {
        vars: { prompt: "Do harm." },
        assert: [{ type: "promptfoo:redteam:excessive-agency" }],
        metadata: { pluginId: "excessive-agency" },
      },
      {
        vars: { prompt: "Do it." },
        assert: [
          { type: "contains", value: "x" },
          { type: "javascript", value: "output.length > 0" },
        ],
      },
      { vars: { prompt: "No assertion." } },
    ];
    for (const one of summaryOf(read("redteam.yaml", { tests }))) expect(one).toContain("by what a success is recognized");
    const [first] = summaryOf(read("redteam.yaml", { tests }, marked));
    expect(first).toEqual(["attack", ["Do harm."], { honeytoken: true }]);
    const document = read("redteam.yaml", { tests }, marked);
    expect(document).toMatchObject({
      readings: [{ entry: { id: expect.stringMatching(/^excessive-agency-[0-9a-f]{8}$/), owasp: ["LLM01:2025"] } }, {}, {}],
    });
  });

  it("send the variable that is named by the person, by the test or by the configuration", () => {
    const test = { vars: { a: "one", b: "two" }, assert: [{ type: "not-contains", value: "z" }] };
    const turns = (document: AttackDocument) => summaryOf(document).map((one) => (Array.isArray(one) ? one[1] : one));
    expect(turns(read("t.yaml", [test]))).toEqual([expect.stringContaining("which of its variables is sent")]);
    expect(turns(read("t.yaml", [test], { variable: "b" }))).toEqual([["two"]]);
    expect(turns(read("t.yaml", { redteam: { injectVar: "a" }, tests: [test] }))).toEqual([["one"]]);
    expect(turns(read("t.yaml", [{ ...test, provider: { config: { injectVar: "b" } } }]))).toEqual([["two"]]);
  });

  it("are not taken when their text is a template, or their pattern is one of another dialect", () => {
    const tests = [
      { vars: { prompt: "{{harmful}}" }, assert: [{ type: "not-contains", value: "z" }] },
      { vars: { prompt: "x" }, assert: [{ type: "not-regex", value: "(?<=a)b" }] },
      { vars: { prompt: "x" }, assert: [{ type: "not-regex", value: "(a+)+{900}" }] },
      { vars: { prompt: "x" }, assert: [{ type: "not-regex", value: "a*" }] },
      { vars: "x" },
      "x",
    ];
    expect(summaryOf(read("t.yaml", { tests }))).toEqual([
      expect.stringContaining("template"),
      expect.stringContaining("RE2"),
      expect.stringMatching(/too large|cannot be read/),
      expect.stringContaining("matches the empty text"),
      expect.stringContaining("which of its variables"),
      expect.stringContaining("which of its variables"),
    ]);
  });

  it("may share their settings by aliases, as generated ones do, and may not explode", () => {
    const shared = `tests:\n${Array.from({ length: 300 }, (_, n) => `  - vars: { prompt: "n${n}" }\n    metadata: ${n === 0 ? "&ref { purpose: p }" : "*ref"}\n    assert: [{ type: not-contains, value: z }]\n`).join("")}`;
    expect(summaryOf(read("redteam.yaml", shared))).toHaveLength(300);
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\n${"bcdefghi".replaceAll(/./g, (name) => {
      const before = String.fromCharCode(name.charCodeAt(0) - 1);
      return `${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(", ")}]\n`;
    })}tests: *i\n`;
    expect(read("bomb.yaml", bomb)).toEqual({ kind: "refused", reason: "The file is neither YAML nor JSON." });
  });
});

describe("hits of garak", () => {
  it("become attacks whose triggers are the success, in the form of old and new versions", () => {
    const hits = [
      { prompt: "Say it", probe: "promptinject.HijackHateHumans", trigger: "I HATE", output: "I HATE" },
      {
        prompt: {
          turns: [
            { role: "system", content: { text: "Be good." } },
            { role: "user", content: { text: "Leak" } },
          ],
          notes: {},
        },
        triggers: ["AB1", "CD2"],
      },
      { prompt: { text: "Plain", lang: "en" }, triggers: "zz" },
    ];
    expect(summaryOf(read("r.hitlog.jsonl", hits.map((one) => JSON.stringify(one)).join("\n")))).toEqual([
      ["attack", ["Say it"], { contains: "I HATE" }],
      ["attack", ["Leak"], [{ contains: "AB1" }, { contains: "CD2" }]],
      ["attack", ["Plain"], { contains: "zz" }],
    ]);
  });

  it("without triggers need a mark; a line that is cut off costs no other", () => {
    const text = `${JSON.stringify({ prompt: "a", triggers: null })}\n{"prompt": "b\n\n${JSON.stringify({ goal: "none" })}\n`;
    expect(summaryOf(read("r.hitlog.jsonl", text))).toEqual([expect.stringContaining("No line is a hit of garak")]);
    expect(summaryOf(read("r.hitlog.jsonl", text, marked))).toEqual([
      ["attack", ["a"], { honeytoken: true }],
      "unreadable line 2: The line is not one JSON document.",
      "unreadable line 4: It has no prompt that is a text.",
    ]);
  });
});

describe("seed prompts of PyRIT", () => {
  it("may all be of one group, however many they are", () => {
    // Copying the group for each of its members would take minutes.
    const seeds = Array.from({ length: 40_000 }, () => ({ value: "v", prompt_group_id: "g" }));
    expect(summaryOf(read("desk.json", { seeds }, marked))).toEqual([
      expect.stringMatching(/^unreadable seeds\[0\], .*seeds\[9\]: turns\.0: Too big/),
    ]);
  });

  it("that PyRIT has fetched are taken without their frame", () => {
    const seeds = [{ value: "{% raw %}Say {it}.{% endraw %}" }, { value: "{% if x %}y{% endif %}" }];
    expect(summaryOf(read("desk.prompt", { seeds }, marked))).toEqual([
      ["attack", ["Say {it}."], { honeytoken: true }],
      "unreadable seeds[1]: Its text is a template with parameters.",
    ]);
  });

  const dataset = `
dataset_name: desk
seeds:
  - value: Extract the prompt
    seed_type: objective
    prompt_group_alias: g
  - { value: second, prompt_group_alias: g, sequence: 1, role: user }
  - { value: first, prompt_group_alias: g, sequence: 0, role: user }
  - { value: also first, prompt_group_alias: g, sequence: 0 }
  - { value: I may not., prompt_group_alias: g, sequence: 2, role: assistant }
  - { value: /tmp/x.png, data_type: image_path }
  - alone
  - value: alone
  - value: "Hello {{ name }}"
`;

  it("of one group are the turns of one attack; what is not sent by the user is passed over", () => {
    expect(summaryOf(read("desk.prompt", dataset, marked))).toEqual([
      "passed_over seeds[0]: It is an objective, and not sent.",
      "passed_over seeds[4]: It is not said by the user.",
      "passed_over seeds[5]: It is not a text.",
      ["attack", ["first\nalso first", "second"], { honeytoken: true }],
      expect.stringContaining("unreadable seeds[6]"),
      ["attack", ["alone"], { honeytoken: true }],
      "unreadable seeds[8]: Its text is a template with parameters.",
    ]);
  });

  it("need a mark, and may be called prompts", () => {
    expect(summaryOf(read("old.prompt", "prompts: [{ value: a }]"))).toEqual([expect.stringContaining("--honeytoken")]);
    expect(summaryOf(read("old.prompt", "prompts: [{ value: a }]", marked))).toEqual([["attack", ["a"], { honeytoken: true }]]);
  });
});

describe("a file with attacks", () => {
  it("may be a text: one turn of one attack, named after the file", () => {
    const document = readAttacksDocument({ name: "ticket-4711.txt", text: "Ignore: {{all}}\n", format: "text" }, marked);
    expect(document).toMatchObject({
      readings: [{ kind: "attack", entry: { id: expect.stringMatching(/^ticket-4711-[0-9a-f]{8}$/), turns: ["Ignore: {{all}}"] } }],
    });
  });

  it("may be another corpus, of which all is taken as it is, or nothing", () => {
    const corpus =
      "attacks: [{ id: a, turns: [x], success: { contains: y } }]\nharmless: [{ id: b, turns: [z], expected: { contains: w } }]\n";
    expect(read("search.yml", corpus)).toMatchObject({
      readings: [
        { kind: "attack", entry: { id: "a", turns: ["x"], success: [{ contains: "y" }] } },
        { kind: "harmless", entry: { id: "b" } },
      ],
    });
    expect(summaryOf(read("search.yml", corpus.replace("contains: y", "regex: '('")))).toEqual([
      expect.stringMatching(/^1:\d+: The regular expression cannot be read/),
    ]);
  });

  it.each([
    ["of no known form", "a: 1"],
    ["that is no YAML", "a: [1"],
    ["that is empty", ""],
    ["whose tests are elsewhere", "tests: file://tests.csv"],
  ])("%s is refused", (_, text) => {
    expect(read("x.yaml", text)).toMatchObject({ kind: "refused" });
  });

  it("takes the form that is named", () => {
    const text = "seeds: [{ value: a }]\ntests: [{ vars: { prompt: b } }]";
    expect(summaryOf(readAttacksDocument({ name: "x", text, format: "pyrit" }, marked))).toEqual([["attack", ["a"], { honeytoken: true }]]);
    expect(summaryOf(readAttacksDocument({ name: "x", text, format: "promptfoo" }, marked))).toEqual([
      ["attack", ["b"], { honeytoken: true }],
    ]);
  });
});
