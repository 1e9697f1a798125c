import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { Matcher } from "../../packages/sdk/src/wire/runbooks.ts";
import { dangerOfRegex, matches, parseMatchers, readMatchers } from "./matcher.ts";

const parsed = (text: string): readonly Matcher[] => {
  const result = parseMatchers(text);
  return result.ok ? result.matchers : [];
};

describe("parseMatchers", () => {
  it.each<[string, Matcher[]]>([
    ["LLMBudgetExceeded", [{ label: "alertname", op: "=", value: "LLMBudgetExceeded" }]],
    [
      'Burn{severity="critical"}',
      [
        { label: "alertname", op: "=", value: "Burn" },
        { label: "severity", op: "=", value: "critical" },
      ],
    ],
    [
      ' { a = "b" , c=~"d|e" , } ',
      [
        { label: "a", op: "=", value: "b" },
        { label: "c", op: "=~", value: "d|e" },
      ],
    ],
    [
      "a=b,c!=d",
      [
        { label: "a", op: "=", value: "b" },
        { label: "c", op: "!=", value: "d" },
      ],
    ],
    ['{"a b"="c\\"d\\\\e\\nf"}', [{ label: "a b", op: "=", value: 'c"d\\e\nf' }]],
    ['{a=~"\\d+"}', [{ label: "a", op: "=~", value: "\\d+" }]],
    [
      'A{x!~"y.*"}',
      [
        { label: "alertname", op: "=", value: "A" },
        { label: "x", op: "!~", value: "y.*" },
      ],
    ],
  ])("reads %s", (text, matchers) => {
    expect(parseMatchers(text)).toEqual({ ok: true, matchers });
  });

  it.each([
    ["", 0],
    ["{}", 0],
    ['{a!="b"}', 0],
    ['{a=~".*"}', 0],
    ["A{", 2],
    ['A{b="c"', 7],
    ['A{b="c"} d', 9],
    ["A{b==c}", 3],
    ["A{b~c}", 3],
    ["A{b=}", 4],
    ['A{b="c" d="e"}', 8],
    ['A{5="c"}', 2],
    ['A{b="c', 4],
    ['A{b=~"(a+)+$"}', 5],
    [`A{b=~"${"a".repeat(201)}"}`, 5],
    ['A{b=~"(?i)x"}', 5],
  ])("refuses %s and points at offset %i", (text, offset) => {
    expect(parseMatchers(text)).toMatchObject({ ok: false, offset, message: expect.stringMatching(/\.$/u), accepted: expect.any(String) });
  });

  it("lets a route match every alert, but no trigger", () => {
    expect(readMatchers('runbook!="none"').ok).toBe(true);
    expect(parseMatchers('runbook!="none"').ok).toBe(false);
  });

  it("never throws, and what it accepts can be matched", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'Aab{}"=~!,.*+()[]\\ |'.split("")), maxLength: 30 }),
        fc.string({ maxLength: 20 }),
        (text, value) => {
          const result = parseMatchers(text);
          expect(typeof matches(result.ok ? result.matchers : [], { a: value })).toBe("boolean");
        },
      ),
      { seed: 7 },
    );
  });

  it("reads back what it would be written as", () => {
    const matcher = fc.record<Matcher>({
      label: fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,9}$/),
      op: fc.constantFrom("=", "!="),
      value: fc.string({ unit: "grapheme" }),
    });
    const escape = (value: string) => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
    fc.assert(
      fc.property(fc.array(matcher, { minLength: 1 }), (matchers) => {
        const text = `A{${matchers.map(({ label, op, value }) => `${label}${op}"${escape(value)}"`).join(",")}}`;
        expect(parsed(text).slice(1)).toEqual(matchers);
      }),
      { seed: 7 },
    );
  });
});

describe("matches", () => {
  it("anchors regular expressions and counts a missing label as empty", () => {
    expect(matches(parsed('A{b=~"c|d"}'), { alertname: "A", b: "c" })).toBe(true);
    expect(matches(parsed('A{b=~"c|d"}'), { alertname: "A", b: "cc" })).toBe(false);
    expect(matches(parsed('A{b!="c"}'), { alertname: "A" })).toBe(true);
    expect(matches(parsed('A{b!~"c.*"}'), { alertname: "A", b: "cat" })).toBe(false);
  });

  it("does not read labels that an object inherits", () => {
    expect(matches(parsed('{constructor=~".+"}'), {})).toBe(false);
  });

  it("tries no regular expression on a value that would take long", () => {
    const long = "a".repeat(100_000);
    expect(matches(parsed('{a=~".*b"}'), { a: long })).toBe(false);
    expect(matches(parsed('A{a!~".*b"}'), { alertname: "A", a: long })).toBe(false);
  });
});

describe("dangerOfRegex", () => {
  it.each([
    "(a+)+$",
    "(a*)*",
    "(a|a)*",
    "(a|aa)+",
    "(.*a){10}",
    "(a?){30}a{30}",
    "((a+)b)*",
    "(?:x+x+)+y",
    "(x+)\\1",
    "(?=a)b",
    "(?<!a)b",
    ".*.*.*.*",
    "[a",
    "(a",
  ])("refuses %s", (pattern) => {
    expect(dangerOfRegex(pattern)).toBeDefined();
  });

  it.each([
    "LLM.*",
    "queued|running",
    "a.*|b.*|c.*|d.*|e.*",
    "(?:a|b)c+",
    "[a-z]+-[0-9]{2}",
    "\\(a\\+\\)\\+",
    "[(+)]+",
    ".*foo.*",
    "(a|b)",
  ])("accepts %s", (pattern) => {
    expect(dangerOfRegex(pattern)).toBeUndefined();
  });
});
