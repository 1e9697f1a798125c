import { describe, expect, it } from "@jest/globals";
import { array, assert, constantFrom, jsonValue, nat, oneof, property, string } from "fast-check";
import { cleanText, escapeHidden } from "./clean-text.ts";
import { oneLine } from "./one-line.ts";

/** Named by number, and apart from the classes that the code uses: controls, turning marks, zero widths, fillers, tags, selectors. */
const hidden = [
  Array.from({ length: 0xa0 }, (_, code) => code).filter((code) => (code < 0x20 || code >= 0x7f) && code !== 0x0a && code !== 0x09),
  [0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180e, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xfffb],
  [0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2060, 0x2064],
  [0x2066, 0x2067, 0x2068, 0x2069, 0x206a, 0x206f, 0x1d173, 0xe0001, 0xe0020, 0xe007f, 0xe0100, 0xe01ef],
]
  .flat()
  .map((code) => String.fromCodePoint(code));

const isRaw = (text: string) => hidden.some((character) => text.includes(character));
const hostileText = array(
  oneof(constantFrom(...hidden), string({ unit: "grapheme" }), constantFrom("\n", "\t", "\u001b[31m", "\u001b]0;x\u0007")),
  {
    maxLength: 12,
  },
).map((parts) => parts.join(""));

describe("every control, turning and invisible character", () => {
  it("is left out of cleaned text", () => {
    assert(property(hostileText, (text) => expect(isRaw(cleanText(text))).toBe(false)));
  });

  it("is a space on one line", () => {
    assert(property(hostileText, (text) => expect(isRaw(oneLine(text)) || /[\n\t]/.test(oneLine(text))).toBe(false)));
  });

  it("is written out in text, and nothing else is changed", () => {
    assert(property(hostileText, (text) => !isRaw(escapeHidden(text))));
    assert(property(nat({ max: hidden.length - 1 }), (at) => escapeHidden(`a${hidden[at] ?? ""}b`).startsWith("a\\u")));
    expect(escapeHidden("größer – 3 %, 価格, 😀, é\n\tx\r\ny\rz")).toBe("größer – 3 %, 価格, 😀, é\n\tx\ny\\u000dz");
    expect(escapeHidden("\u{e0041}")).toBe("\\udb40\\udc41");
  });

  it("is an escape in JSON, which parses to the same value", () => {
    assert(
      property(jsonValue(), hostileText, hostileText, (value, name, text) => {
        const written = JSON.stringify({ [`${name}.`]: [value, text] });
        const escaped = escapeHidden(written);
        expect(isRaw(escaped)).toBe(false);
        expect(JSON.parse(escaped)).toEqual(JSON.parse(written));
      }),
    );
  });
});
