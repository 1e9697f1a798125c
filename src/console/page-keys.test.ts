import { describe, expect, it } from "@jest/globals";
import { createKeyReader, keyList } from "./page-keys.ts";

describe("the keys of the page", () => {
  it("go to a page after g, within a second and a half", () => {
    const next = createKeyReader();
    expect(next("g", 0)).toBeUndefined();
    expect(next("r", 1500)).toEqual({ kind: "go", href: "/runs" });
    expect(next("g", 2000)).toBeUndefined();
    expect(next("r", 3501)).toEqual({ kind: "answer", button: "last" });
  });

  it.each([
    ["/", { kind: "find" }],
    ["j", { kind: "step", by: 1 }],
    ["k", { kind: "step", by: -1 }],
    ["a", { kind: "answer", button: "first" }],
    ["?", { kind: "list" }],
    ["x", undefined],
    ["constructor", undefined],
  ])("%s does what the list says", (key, action) => {
    expect(createKeyReader()(key, 0)).toEqual(action);
  });

  it("are forgotten after a second key that means nothing", () => {
    const next = createKeyReader();
    expect([next("g", 0), next("x", 1), next("n", 2)]).toEqual([undefined, undefined, undefined]);
  });

  it("are all in the list", () => {
    const next = createKeyReader();
    for (const [keys] of keyList) {
      const actions = keys.startsWith("g ") ? [next("g", 0) ?? next(keys.slice(2), 1)] : keys.split(" ").map((key) => next(key, 10_000));
      expect(actions.every((action) => action !== undefined)).toBe(true);
    }
  });
});
