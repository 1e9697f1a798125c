import { describe, expect, it } from "@jest/globals";
import { createRandom } from "../../core/random.ts";
import { elementsOf, membersOf } from "./json-spans.ts";

const random = createRandom(7);
const pick = <Value>(values: readonly Value[]): Value => {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new Error("There is nothing to pick from.");
  return value;
};
const spaces = ["", " ", "\n  ", "\t", "\r\n"];
const atoms = ['""', '"a\\"b"', '"\\\\"', '"{[,:]}"', '"\\u007d"', '"é𝄞"', "0", "-1.5e+3", "true", "false", "null", "{}", "[ ]"];
function aValue(depth: number): string {
  const kind = depth === 0 ? 0 : pick([0, 1, 2]);
  const [space, count] = [pick(spaces), pick([0, 1, 2, 3])];
  if (kind === 0) return pick(atoms);
  const items = Array.from({ length: count }, (_, nth) => {
    const value = `${pick(spaces)}${aValue(depth - 1)}${pick(spaces)}`;
    return kind === 1 ? value : `${pick(spaces)}"k${nth}\\""${pick(spaces)}:${value}`;
  });
  return kind === 1 ? `[${space}${items.join(",")}]` : `{${space}${items.join(",")}}`;
}

describe("spans of a JSON text", () => {
  it("hold exactly the values that JSON.parse reads, whatever is nested and however it is spaced", () => {
    for (let round = 0; round < 500; round += 1) {
      const [one, two] = [aValue(3), aValue(3)];
      const object = `${pick(spaces)}{${pick(spaces)}"a":${pick(spaces)}${one}${pick(spaces)},${pick(spaces)}"b\\u0020"${pick(spaces)}:${two}}`;
      const members = membersOf(object);
      expect(members.map(({ key }) => key)).toEqual(["a", "b "]);
      expect(members.map(({ value }) => object.slice(value.from, value.to))).toEqual([one, two]);
      expect(members.map(({ written }) => object.slice(written.from, written.to))).toEqual(['"a"', '"b\\u0020"']);
      const list = `[${pick(spaces)}${one}${pick(spaces)},${two}]`;
      expect(elementsOf(list).map(({ from, to }) => list.slice(from, to))).toEqual([one, two]);
    }
  });

  it("are none in what is empty", () => {
    expect(membersOf(" { } ")).toEqual([]);
    expect(elementsOf("[\n]")).toEqual([]);
  });

  it("do not need a stack as deep as the text", () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    expect(membersOf(`{"a":${deep}}`)[0]?.value).toEqual({ from: 5, to: 5 + deep.length });
  });
});
