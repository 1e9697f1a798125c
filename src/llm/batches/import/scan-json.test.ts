import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { deepestJson, scanJson } from "./scan-json.ts";

describe("places in JSON", () => {
  it("finds a fault exactly where JSON.parse finds one, whatever the text", () => {
    const nearlyJson = fc
      .tuple(fc.json({ maxDepth: 4 }), fc.nat(), fc.constantFrom("", '"', "}", ",", "\\", "\u0001", "0"))
      .map(([json, at, put]) => {
        const place = at % (json.length + 1);
        return json.slice(0, place) + put + json.slice(place + (at % 2));
      });
    fc.assert(
      fc.property(fc.oneof(nearlyJson, fc.string({ unit: "binary" })), (text) => {
        let parses = true;
        try {
          JSON.parse(text);
        } catch {
          parses = false;
        }
        expect(scanJson(text).ok).toBe(parses);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['{"a":1,}', 7, 'a text in double quotes (")'],
    ['{"a" 1}', 5, "a colon (:)"],
    ["[1 2]", 3, "a comma (,) or a closing bracket (])"],
    ['{"a":"b', 7, 'a closing quote (")'],
    ["[1] x", 4, "nothing more; the JSON value ends before"],
    ["{'a':1}", 1, 'a text in double quotes (")'],
  ])("tells in %s the offset %i and what is accepted", (text, offset, expected) => {
    expect(scanJson(text)).toEqual({ ok: false, offset, expected });
  });

  it("refuses nesting that would exhaust whoever walks it", () => {
    expect(scanJson("[".repeat(100_000))).toMatchObject({ ok: false, offset: deepestJson, expected: "at most 32 levels of nesting" });
  });

  it("knows where the members of a list's items stand", () => {
    const scan = scanJson('[ {"a": 1, "b\\u0041": [2]}, 3 ]');
    expect(scan.ok && ["/0", "/0/a", "/0/bA", "/1", "/2"].map((path) => scan.placeOf(path))).toEqual([2, 8, 22, 28, undefined]);
  });
});
