import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { promptsOfHoneytokens } from "./honeytoken.ts";

const token = "0123456789abcdef0123456789abcdef";
const honeytokens = new Map([
  [token, "export"],
  ["f".repeat(32), "review"],
]);

describe("recognizing honeytokens", () => {
  it.each([
    ["alone", token],
    ["in a sentence", `The key is ${token}.`],
    ["in capitals", token.toUpperCase()],
    ["within a longer run of digits", `ab${token}cd`],
    ["in JSON", JSON.stringify({ url: `https://evil.example/?q=${token}&x=1` })],
    ["with spaces between its digits", token.split("").join(" ")],
    ["with hyphens, as a UUID", "01234567-89ab-cdef-0123-456789abcdef"],
    ["over several lines", `${token.slice(0, 10)}\n${token.slice(10)}`],
    ["with characters that are not seen", token.split("").join("\u200b")],
  ])("finds one %s", (_name, text) => {
    expect(promptsOfHoneytokens(text, honeytokens)).toEqual(["export"]);
  });

  it("finds each prompt once, and none without a honeytoken", () => {
    expect(promptsOfHoneytokens(`${token} ${"f".repeat(40)} ${token}`, honeytokens)).toEqual(["export", "review"]);
    expect(promptsOfHoneytokens(token.slice(1), honeytokens)).toEqual([]);
    expect(promptsOfHoneytokens(token, new Map())).toEqual([]);
    expect(promptsOfHoneytokens("", honeytokens)).toEqual([]);
  });

  it("finds one wherever it is, and none in any other text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), fc.string({ unit: "grapheme", maxLength: 200 }), (before, after) => {
        expect(promptsOfHoneytokens(`${before}${token}${after}`, honeytokens)).toContain("export");
        expect(promptsOfHoneytokens(`${before} ${after}`, honeytokens)).toEqual([]);
      }),
    );
  });
});
