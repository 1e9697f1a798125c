import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { readPattern } from "./linear-pattern.ts";

const test = (source: string, text: string, extent?: "whole" | "part") => {
  const reading = readPattern(source, extent);
  return reading.ok ? reading.pattern.test(text) : reading.fault;
};

const backtracking = (source: string, text: string) => {
  try {
    return new RegExp(`^(?:${source})$`, "u").test(text);
  } catch {
    return undefined;
  }
};

describe("readPattern", () => {
  it.each([
    ["(?i)prod.*", "PROD-eu"],
    ["^(?i:prod)-.*", "Prod-eu"],
    ["(Kube.*|Node.*)+", "KubeNode"],
    [".*x.*y.*z.*w.*", "x y z w"],
    ["[[:alpha:]]+", "abc"],
    ["(?P<name>a)", "a"],
    ["(?s).*", "a\nb"],
    ["\\pL+", "größe"],
    ["\\Qa.b\\E", "a.b"],
    ["a".repeat(500), "a".repeat(500)],
    ["", ""],
    ["[]a]+", "]a"],
    ["a.c", "a\u{1F642}c"],
  ])("accepts %s, as amtool does", (source, text) => {
    expect(test(source, text)).toBe(true);
  });

  it.each([
    ["(?=a)b", "cannot be read: invalid or unsupported Perl syntax"],
    ["(?<!a)b", "cannot be read"],
    ["(x+)\\1", "cannot be read: invalid escape sequence"],
    ["[a", "cannot be read"],
    ["(a", "cannot be read"],
    ["a)", "cannot be read"],
    ["a**", "cannot be read: invalid nested repetition operator"],
    ["a{1001}", "cannot be read: invalid repeat count"],
  ])("refuses %s, as amtool does", (source, fault) => {
    expect(test(source, "")).toContain(fault);
  });

  it("anchors the whole, or takes a part", () => {
    expect(test("b|c", "abc")).toBe(false);
    expect(test("b|c", "b")).toBe(true);
    expect(test("b|c", "abc", "part")).toBe(true);
    expect(test(".*", "a\nb")).toBe(false);
  });

  // An engine that backtracks takes years for each of these; here it is enough that the test ends.
  it.each([
    ["(a+)+$", "b"],
    [`${"a?".repeat(40)}b`, "c"],
    ["(a|a)*b", "c"],
    ["(a*)*b", "c"],
    ["(.*a){12}b", "c"],
    [".*/.*/.*/.*-prod", "/"],
    ["(?:a|aa)+$", "b"],
    ["^(a?){30}a{30}$", "b"],
    ["(x+x+)+y", "x"],
  ])("ends for %s on a long text that nearly matches", (source, end) => {
    expect(test(source, `${"a/".repeat(2000)}${"a".repeat(4000)}${end}`)).toBe(false);
  });

  it.each([`(${"a".repeat(900)}){1000}`, "(((a{9}){9}){9}){90}", `(?:${"x{100}".repeat(100)}){10}`, `(\\Q(\\E${"a".repeat(900)}){1000}`])(
    "refuses %s before it is multiplied out",
    (source) => {
      expect(readPattern(source)).toEqual({ ok: false, fault: "is too large" });
    },
  );

  it("does not try a text that is too long for its pattern", () => {
    expect(test("(a{30}){30}", "a".repeat(100_000))).toBeUndefined();
    expect(test(".*b", "a".repeat(100_000))).toBe(false);
  });

  it("agrees with V8 wherever both can read the pattern", () => {
    const unit = fc.constantFrom(..."ab.*+?()|[]^{}12,-".split(""));
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), fc.string({ unit: fc.constantFrom("a", "b", "1"), maxLength: 6 }), (source, text) => {
        const answers = [test(source, text), backtracking(source, text)];
        const isReadByBoth = answers.every((answer) => typeof answer === "boolean");
        expect(isReadByBoth ? new Set(answers).size : 1).toBe(1);
      }),
      { seed: 7, numRuns: 2000 },
    );
  });

  it("never throws, whatever pattern and text hold", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 30 }), fc.string({ unit: "binary" }), (source, text) => {
        expect(["boolean", "string"]).toContain(typeof test(source, text));
      }),
      { seed: 7 },
    );
  });
});
