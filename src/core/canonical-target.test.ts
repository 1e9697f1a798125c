import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { canonicalTarget, kindOfTarget, urlPathFault } from "./canonical-target.ts";

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_~-]{0,8}$/);
const path = fc.array(name, { minLength: 1, maxLength: 4 });

/** Another spelling of a path that a server may take for the same. */
const spelling = fc.record({
  encoded: fc.array(fc.constantFrom("as it is", "percent", "twice"), { minLength: 40, maxLength: 40 }),
  between: fc.constantFrom("/", "//", "/./", "/%2e/", "/x/../", "/x/%2E%2e/", "%2f", "%252F"),
  end: fc.constantFrom("", "/", "//", "/.", "?q=1", "#part"),
});

function respell(segments: readonly string[], { encoded, between, end }: { encoded: string[]; between: string; end: string }): string {
  let index = 0;
  const spelled = segments.map((segment) =>
    Array.from(segment)
      .map((character) => {
        const how = encoded[index++ % encoded.length];
        const hex = character.charCodeAt(0).toString(16);
        return how === "percent" ? `%${hex}` : how === "twice" ? `%25${hex.toUpperCase()}` : character;
      })
      .join(""),
  );
  return spelled.join(between) + end;
}

describe("canonicalTarget", () => {
  it("is one form for every spelling of a path", () => {
    fc.assert(
      fc.property(path, spelling, (segments, how) => {
        const plain = `https://gw.example/${segments.join("/")}`;
        expect(canonicalTarget(`https://gw.example/${respell(segments, how)}`)).toBe(plain);
      }),
    );
  });

  it("is itself in canonical form, and never throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.webUrl(),
          fc.string().map((text) => `http://h/${text}`),
        ),
        (text) => {
          const once = canonicalTarget(text);
          expect(canonicalTarget(once)).toBe(once);
        },
      ),
    );
  });

  it("keeps different paths apart", () => {
    fc.assert(
      fc.property(path, path, (one, other) => {
        const urls = [one, other].map((segments) => canonicalTarget(`https://gw.example/${segments.join("/")}`));
        expect(urls[0] === urls[1]).toBe(one.join("/") === other.join("/"));
      }),
    );
  });

  it.each([
    ["HTTPS://GW.Example:443/a", "https://gw.example/a"],
    ["https://gw.example./a", "https://gw.example/a"],
    ["http://gw.example:80", "http://gw.example"],
    ["http://0x7f.1/a", "http://127.0.0.1/a"],
    ["https://gw.example/caf\u0065\u0301", "https://gw.example/caf%C3%A9"],
    ["https://gw.example/a%zz%ff", "https://gw.example/a%25zz%25FF"],
    ["https://gw.example/a;v=1,b:c@d", "https://gw.example/a;v=1,b:c@d"],
    ["budget/checkout", "budget/checkout"],
    ["budget/pro%64/", "budget/prod"],
    ["", ""],
  ])("of %s is %s", (written, canonical) => {
    expect(canonicalTarget(written)).toBe(canonical);
  });
});

describe("urlPathFault", () => {
  it("refuses a dot segment in every encoding", () => {
    const dot = fc.constantFrom(".", "%2e", "%2E", "%252e", "%25252E");
    const slash = fc.constantFrom("/", "%2f", "%5C", "%252F");
    fc.assert(
      fc.property(path, fc.array(dot, { minLength: 1, maxLength: 2 }), slash, slash, (segments, dots, before, behind) => {
        const url = `https://gw.example/${segments.join("/")}${before}${dots.join("")}${behind}admin`;
        expect(urlPathFault(url)).toBeDefined();
      }),
    );
  });

  it.each(["//a", "/a//b", "/a/..;x=1/b", "/%zz", "/a%", "/%c0%ae%c0%ae/a", "/a%00", "/a%0d%0ab", "/a%25%30%30"])("refuses %s", (text) => {
    expect(urlPathFault(`https://gw.example${text}`)).toBeDefined();
  });

  it.each(["", "/", "/a/b/", "/a..b/...", "/a%20b%2Fc", "/.well-known/x", "/a?next=/../b//c", "/caf%C3%A9"])(
    "has nothing against %s",
    (text) => {
      expect(urlPathFault(`https://gw.example${text}`)).toBeUndefined();
    },
  );

  it.each(["http:/gw.example/a/../b", "http:gw.example/a", "ftp://gw.example", "/a", "https://"])(
    "refuses %s, which is no URL of this kind",
    (text) => {
      expect(urlPathFault(text)).toBeDefined();
    },
  );
});

it.each([
  ["budget/a", "budget"],
  ["https://gw.example/a", "http"],
  ["HTTP://gw.example", "http"],
  ["command/restart", "command"],
  ["Budget/a", undefined],
  ["alone", undefined],
])("the kind of %s is %s", (target, kind) => {
  expect(kindOfTarget(target)).toBe(kind);
});
