import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { prefixSchema } from "./prefix.ts";

const document = readFileSync(join(import.meta.dirname, "../../../../docs/prompt-caching.md"), "utf8");

describe("prefixSchema", () => {
  it("takes what the documentation shows", () => {
    const [, example = ""] = /```json\n([^]*?)```/.exec(document) ?? [];
    expect(prefixSchema.parse(JSON.parse(example)).blocks).toHaveLength(3);
  });

  it.each([
    ["no blocks", { blocks: [] }],
    ["a text where a hash belongs", { blocks: [{ role: "system", kind: "text", hash: "You are helpful.", tokens: 9 }] }],
    ["half a token", { blocks: [{ role: "system", kind: "text", hash: "0123456789abcdef", tokens: 0.5 }] }],
    [
      "an unknown field, which may hold a text",
      { blocks: [{ role: "system", kind: "text", hash: "0123456789abcdef", tokens: 9, text: "…" }] },
    ],
    ["a lifetime that no provider has", { blocks: [{ role: "system", kind: "text", hash: "0123456789abcdef", tokens: 9, mark: "1d" }] }],
  ])("refuses %s", (_, prefix) => expect(prefixSchema.safeParse(prefix).success).toBe(false));
});
