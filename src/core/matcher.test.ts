import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { Matcher } from "../../packages/sdk/src/wire/runbooks.ts";
import { matches, matchesValue } from "./matcher.ts";
import { parseMatchers } from "./parse-matchers.ts";

const parsed = (text: string): readonly Matcher[] => {
  const result = parseMatchers(text);
  return result.ok ? result.matchers : [];
};

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

  it("matches values of any length like others", () => {
    const value = fc.string({ unit: fc.constantFrom("a", "b", "é", "\u{1F642}"), minLength: 1000, maxLength: 20_000 });
    fc.assert(
      fc.property(value, (text) => {
        expect(matchesValue({ label: "l", op: "=~", value: ".*b" }, text)).toBe(text.endsWith("b"));
        expect(matchesValue({ label: "l", op: "!~", value: ".*b" }, text)).toBe(!text.endsWith("b"));
        expect(matchesValue({ label: "l", op: "=", value: text }, text)).toBe(true);
      }),
      { seed: 7 },
    );
  });

  it("says neither yes nor no to a value that is too long for its regular expression", () => {
    const long = "a".repeat(1_000_000);
    expect(matches(parsed('{a=~"(a{30}){30}"}'), { a: long })).toBe(false);
    expect(matches(parsed('A{a!~"(a{30}){30}"}'), { alertname: "A", a: long })).toBe(false);
  });

  it("tries no regular expression on an alert of another name", () => {
    const labels = {
      alertname: "B",
      get a(): string {
        throw new Error("was read");
      },
    };
    expect(matches(parsed('{a=~".+",alertname="A"}'), labels)).toBe(false);
  });
});
