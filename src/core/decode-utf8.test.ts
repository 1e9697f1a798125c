import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { decodeUtf8 } from "./decode-utf8.ts";

const bytes = (...parts: (string | number)[]) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...new TextEncoder().encode(part)] : [part])));

describe("a file that is handed in", () => {
  it("is its text, without a byte order mark", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.boolean(), (text, mark) => {
        fc.pre(!text.startsWith("\uFEFF"));
        const file = bytes(...(mark ? [0xef, 0xbb, 0xbf] : []), text);
        expect(decodeUtf8(file)).toEqual({ ok: true, text });
        expect(decodeUtf8(file, { keepMark: true })).toEqual({ ok: true, text: mark ? `\uFEFF${text}` : text });
      }),
    );
  });

  it.each([
    ["Windows-1252", bytes("ref,title\nshop-1,caf", 0xe9, " cr", 0xe8, "me\n"), 2, 11, "0xe9"],
    ["a lone continuation", bytes("ä😀", 0x80), 1, 4, "0x80"],
    ["a character that breaks off at the end", bytes("a\nb", 0xf0, 0x9f), 2, 2, "0xf0"],
    ["a surrogate", bytes("x", 0xed, 0xa0, 0x80), 1, 2, "0xed"],
    ["an overlong form", bytes(0xc0, 0xaf), 1, 1, "0xc0"],
    ["UTF-16", Uint8Array.of(0xff, 0xfe, 0x72, 0), 1, 1, "UTF-16"],
  ])("is refused at the first byte that is wrong: %s", (_name, file, line, column, said) => {
    expect(decodeUtf8(file)).toEqual({ ok: false, line, column, message: expect.stringContaining(said) });
  });

  it("is refused at the place where the readable text ends, whatever stands before", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.uint8Array({ maxLength: 20 }), (text, rest) => {
        fc.pre(!text.startsWith("\uFEFF"));
        const decoded = decodeUtf8(bytes(text, 0xff, ...rest));
        fc.pre(text !== "" || decoded.ok || !decoded.message.includes("UTF-16"));
        const lines = text.split("\n");
        expect(decoded).toMatchObject({ ok: false, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 });
      }),
    );
  });
});
