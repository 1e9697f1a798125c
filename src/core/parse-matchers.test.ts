import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { Matcher } from "../../packages/sdk/src/wire/runbooks.ts";
import { matches } from "./matcher.ts";
import { parseMatchers, readClassicMatchers, readMatchers } from "./parse-matchers.ts";

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
    ['{a=~"\\\\d+"}', [{ label: "a", op: "=~", value: "\\d+" }]],
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
    ["A{b==c}", 4],
    ["A{b~c}", 3],
    ["A{b=}", 4],
    ['A{b="c" d="e"}', 8],
    ['A{b="c', 4],
    ['A{b=~"(a"}', 5],
    ['A{b=~"(?=x)"}', 5],
    ['A{b="\\w"}', 4],
    ["A{b=~c\\d}", 6],
  ])("refuses %s and points at offset %i", (text, offset) => {
    expect(parseMatchers(text)).toMatchObject({ ok: false, offset, message: expect.stringMatching(/\.$/u), accepted: expect.any(String) });
  });

  it("lets a route match every alert, but no trigger", () => {
    expect(readMatchers("")).toEqual({ ok: true, matchers: [] });
    expect(readMatchers("Name").ok).toBe(false);
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

// Written after the behaviour of the UTF-8 parser that Alertmanager has had since 0.27.
describe("readMatchers", () => {
  const eq = (label: string, value: string, op: Matcher["op"] = "="): Matcher => ({ label, op, value });

  it.each<[string, Matcher[]]>([
    ["", []],
    ["  ", []],
    ["{}", []],
    [" { } ", []],
    ["{ colour = red }", [eq("colour", "red")]],
    ["colour=red,", [eq("colour", "red")]],
    ["{colour=red , }", [eq("colour", "red")]],
    ["colour!=red,shape=~(round|square)", [eq("colour", "red", "!="), eq("shape", "(round|square)", "=~")]],
    ["shape!~[a-z]+", [eq("shape", "[a-z]+", "!~")]],
    ["größe=groß", [eq("größe", "groß")]],
    ["\u{1F4A5}=\u{1F642}ok", [eq("\u{1F4A5}", "\u{1F642}ok")]],
    ["5xx=5", [eq("5xx", "5")]],
    ["a.b-c/d:e=f.g-h/i:j", [eq("a.b-c/d:e", "f.g-h/i:j")]],
    ['"two words"="three words here"', [eq("two words", "three words here")]],
    ['{"a,b={}"="!~,\'`"}', [eq("a,b={}", "!~,'`")]],
    ['a=""', [eq("a", "")]],
    ['a="tab\\tend"', [eq("a", "tab\tend")]],
    ['a="\\a\\b\\f\\n\\r\\v"', [eq("a", "\u0007\b\f\n\r\v")]],
    ['a="say \\"x\\" \\\\"', [eq("a", 'say "x" \\')]],
    ['a="\\xc3\\xa9\\303\\251\\u00e9\\U0001f642"', [eq("a", "ééé\u{1F642}")]],
    ['a=~"\\\\d+"', [eq("a", "\\d+", "=~")]],
    ["a\u2003=\u00a0b", [eq("a", "b")]],
  ])("reads %j", (text, matchers) => {
    expect(readMatchers(text)).toEqual({ ok: true, matchers });
  });

  it.each([
    [",", 0],
    ["{,}", 1],
    ["{a=b,,c=d}", 5],
    ["a=b,,", 4],
    ["{", 1],
    ["}", 0],
    ["a=b}", 3],
    ["{a=b", 4],
    ["{a=b}}", 5],
    ["{a=b}c", 5],
    ["{{a=b}", 1],
    ["{a=b}{c=d}", 5],
    ["a", 1],
    ["a=", 2],
    ["=b", 0],
    ["a==b", 2],
    ["a=!b", 2],
    ["a!b", 1],
    ["a~b", 1],
    ["a b=c", 2],
    ["a=b c", 4],
    ["a=b c=d", 4],
    ["a='b'", 2],
    ["a=`b`", 2],
    ["a=b\\n", 3],
    ['a="b', 2],
    ['a=b"c"', 3],
    ['a="b"c', 5],
    ['a=:"b"', 3],
    ['a="\\w"', 2],
    ['a="\\\'"', 2],
    ['a="\\x4"', 2],
    ['a="\\400"', 2],
    ['a="\\ud800"', 2],
    ['a="\\U00110000"', 2],
    ['a="\\xf0\\x9f"', 2],
    ['a="b\nc"', 2],
    ['"\\q"=b', 0],
    ["a=~[b", 3],
  ])("refuses %j and points at offset %i", (text, offset) => {
    expect(readMatchers(text)).toMatchObject({ ok: false, offset });
  });

  it("reads back any names and values in quotes, as Go would write them", () => {
    const text = fc.string({ unit: "binary", maxLength: 20 });
    const goEscape = (value: string) =>
      value.replaceAll(/["\\]|\p{Cc}/gu, (character) =>
        `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`.replace(/\\x([89a-f].)$/u, "\\u00$1"),
      );
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.constantFrom<Matcher["op"]>("=", "!="), text)), (list) => {
        const source = list.map(([label, op, value]) => `"${goEscape(label)}"${op}"${goEscape(value)}"`).join(",");
        expect(readMatchers(`{${source}}`)).toEqual({ ok: true, matchers: list.map(([label, op, value]) => ({ label, op, value })) });
      }),
      { seed: 7 },
    );
  });

  it("never throws, and points inside the text", () => {
    expect.hasAssertions();
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."ab{}\"'`=~!,\\ \tn\u{1F642}x0".split("")), maxLength: 25 }), (text) => {
        for (const read of [readMatchers, readClassicMatchers, parseMatchers]) {
          const result = read(text);
          expect(result.ok ? 0 : result.offset).toBeLessThanOrEqual(text.length);
        }
      }),
      { seed: 7, numRuns: 1000 },
    );
  });
});

describe("readClassicMatchers", () => {
  it.each<[string, Matcher[]]>([
    ['a=~"\\d+"', [{ label: "a", op: "=~", value: "\\d+" }]],
    ["a=~x y", [{ label: "a", op: "=~", value: "x y" }]],
    ["{a==b}", [{ label: "a", op: "=", value: "=b" }]],
    ["a=", [{ label: "a", op: "=", value: "" }]],
    [
      'a="b,c" , d!~ e ,',
      [
        { label: "a", op: "=", value: "b,c" },
        { label: "d", op: "!~", value: "e" },
      ],
    ],
    ['a="\\t\\n\\\\"', [{ label: "a", op: "=", value: "\\t\n\\" }]],
  ])("reads %j", (text, matchers) => {
    expect(readClassicMatchers(text)).toEqual({ ok: true, matchers });
  });

  it.each(["a", 'a="b', 'a=b"', 'a=b"c', "5=a", "a-b=c", "a=b,,c=d", 'a=~"[b"'])("refuses %j", (text) => {
    expect(readClassicMatchers(text).ok).toBe(false);
  });
});
