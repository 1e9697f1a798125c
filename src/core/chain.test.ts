import { expect, it } from "@jest/globals";
import { array, assert, integer, jsonValue, nat, property } from "fast-check";
import { chainText, findFault } from "./chain.ts";
import { genesisHead } from "./journal.ts";

function aChain(values: readonly unknown[]) {
  const texts: string[] = [];
  let head = genesisHead;
  for (const value of values) {
    const link = chainText(head, JSON.stringify({ value }));
    texts.push(link.text);
    head = link.head;
  }
  return { texts, head };
}

it("finds nothing in what was written", () => {
  assert(
    property(array(jsonValue(), { maxLength: 12 }), (values) => {
      const { texts, head } = aChain(values);
      expect(findFault({ texts, head }, JSON.parse)).toBeUndefined();
    }),
  );
});

const damage: readonly [string, (texts: string[], at: number) => void][] = [
  ["changed", (texts, at) => texts.splice(at, 1, (texts[at] ?? "").replace('"value":', '"valve":'))],
  [
    "changed in its mark",
    (texts, at) =>
      texts.splice(
        at,
        1,
        (texts[at] ?? "").replace(/.(?="\}$)/u, (last) => (last === "0" ? "1" : "0")),
      ),
  ],
  ["removed", (texts, at) => texts.splice(at, 1)],
  ["moved behind the next", (texts, at) => texts.splice(at, 2, texts[at + 1] ?? "", texts[at] ?? "")],
  ["put in", (texts, at) => texts.splice(at, 0, chainText("f".repeat(64), '{"value":7}').text)],
  ["broken", (texts, at) => texts.splice(at, 1, (texts[at] ?? "").slice(0, 9))],
];

it.each(damage)("names the first record that was %s", (_name, spoil) => {
  assert(
    property(integer({ min: 2, max: 9 }), nat(), (length, seed) => {
      const { texts, head } = aChain(Array.from({ length }, (_, index) => index));
      const at = seed % (length - 1);
      spoil(texts, at);
      expect(findFault({ texts, head }, JSON.parse)?.index).toBe(at);
    }),
  );
});

it("names the first missing record of a chain that was cut off", () => {
  const { texts, head } = aChain([1, 2, 3, 4]);
  expect(findFault({ texts: texts.slice(0, 2), head }, JSON.parse)).toMatchObject({ index: 2 });
});

it("sees records without marks by the head alone", () => {
  const plain = ['{"a":1}', '{"a":2}'];
  const head = "d".repeat(64);
  expect(findFault({ texts: plain, head }, JSON.parse)).toMatchObject({ index: 2 });
});
