import { describe, expect, it } from "@jest/globals";
import { assert, property, string } from "fast-check";
import { maskSpans, volatileSpans } from "./volatile-span.ts";

const mask = (text: string) => maskSpans(text, volatileSpans(text));

describe("volatile spans", () => {
  it.each([
    ["Now: 2026-11-23T06:00:01.250Z.", "Now: <time>."],
    ["It is 2026-11-23, 9:15 in Berlin", "It is <time>, <time> in Berlin"],
    ["id 550e8400-e29b-41d4-a716-446655440000!", "id <uuid>!"],
    ["request req_01ABCdef99 of run-8f3k2m1x", "request <request_id> of <request_id>"],
    ["at 1764000000 or 1764000000123", "at <epoch> or <epoch>"],
    ["commit 9fceb02 in /tmp/build-7/x", "commit <hex> in <temp_path>"],
    ["turn 17 of 200", "turn <number> of <number>"],
    ["deadbeef and defaced are words", "deadbeef and defaced are words"],
  ])("%s", (text, expected) => expect(mask(text)).toBe(expected));

  it("are in order, without overlap, and inside the text", () => {
    assert(
      property(string({ maxLength: 200 }), (text) => {
        let end = 0;
        for (const span of volatileSpans(text)) {
          expect(span.start).toBeGreaterThanOrEqual(end);
          expect(span.end).toBeGreaterThan(span.start);
          end = span.end;
        }
        expect(end).toBeLessThanOrEqual(text.length);
      }),
    );
  });

  it("take a long hostile text in its stride", () => {
    expect(volatileSpans("a1".repeat(50_000))).toEqual([]);
    expect(volatileSpans("1:".repeat(20_000)).length).toBeGreaterThan(0);
  });
});
