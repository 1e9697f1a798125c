import { expect, it } from "@jest/globals";
import { oneLine, shortLine } from "./one-line.ts";

it("keeps words and lets no character break the line, move the cursor or hide text", () => {
  expect(oneLine("  a\r\n\tb \u0000\u001b[31mc\u2028d\u202ee\u200bf  ")).toBe("a b [31mc d e f");
  expect(oneLine("größer – 3 %")).toBe("größer – 3 %");
});

it("cuts a line that is too long", () => {
  expect(shortLine("one\ntwo", 7)).toBe("one two");
  expect(shortLine("one\ntwo", 6)).toBe("one t…");
});
