import { expect, it } from "@jest/globals";
import { parseAttackCorpus } from "../parse-attack-corpus.ts";
import { addToCorpus, type GrowingCorpus } from "./add-to-corpus.ts";

const attack = (id: string, ...turns: string[]) => ({ kind: "attack", at: "x", entry: { id, turns, success: { contains: "y" } } }) as const;
const request = (id: string, ...turns: string[]) =>
  ({ kind: "harmless", at: "x", entry: { id, turns, expected: { contains: "y" } } }) as const;

const corpus: GrowingCorpus = {
  file: "export.yml",
  source: "# Attacks on export.\nattacks:\n  # The first one.\n  - id: a\n    turns: [one]\n    success: { contains: y }\n",
};

function grow(given: GrowingCorpus, ...entries: Parameters<typeof addToCorpus>[1]) {
  const grown = addToCorpus(given, entries);
  if (!grown.ok) throw new Error(grown.reason);
  return grown;
}

it("begins a corpus where there is none", () => {
  const { source, added } = grow({ file: "export.yml", source: "" }, attack("a", "one"), request("b", "two"));
  expect(added).toEqual(["a", "b"]);
  expect(parseAttackCorpus({ feature: "export", file: "export.yml", source }).corpus).toMatchObject({
    attacks: [{ id: "a", variants: [["one"]] }],
    harmless: [{ id: "b" }],
  });
});

it("adds to the end, and keeps comments and order", () => {
  const { source } = grow(corpus, attack("b", "two\nlines"));
  expect(source.startsWith("# Attacks on export.\nattacks:\n  # The first one.\n  - id: a\n")).toBe(true);
  expect(
    parseAttackCorpus({ feature: "export", file: "export.yml", source }).corpus?.attacks.map(({ id, variants }) => [id, variants]),
  ).toEqual([
    ["a", [["one"]]],
    ["b", [["two\nlines"]]],
  ]);
});

it("does not add what is there, and leaves the file as it is then", () => {
  const grown = grow(corpus, attack("another", "one"));
  expect(grown).toEqual({ ok: true, source: corpus.source, added: [], present: ["another"] });
  expect(grow(corpus, attack("b", "two"), attack("c", "two"))).toMatchObject({ added: ["b"], present: ["c"] });
});

it("gives another id where one is taken", () => {
  expect(grow(corpus, attack("a", "two"), attack("a", "three"))).toMatchObject({ added: ["a-2", "a-3"] });
});

it("writes texts so that they are read back as they are", () => {
  const texts = ["# no comment", "- no list", "a: b", "{{x}}", "'\"\\", "line\r\nfeed\t\u0000\u202e", "null", "0x10", " blank "];
  const { source } = grow(corpus, attack("b", ...texts));
  expect(parseAttackCorpus({ feature: "export", file: "export.yml", source }).corpus?.attacks[1]?.variants).toEqual([texts]);
});

it.each([
  ["no YAML", "attacks: [", "cannot be read as plain YAML"],
  ["no list", "attacks: 1", "`attacks` of export.yml is not a list"],
  ["no map", "- a", "cannot be read as plain YAML"],
  ["aliases", "attacks: &a []\nharmless: *a", "cannot be read as plain YAML"],
  ["a fault elsewhere", "attacks:\n  - id: A\n    turns: [one]\n    success: { contains: y }\n", "export.yml:2:9"],
])("refuses to add to a file with %s", (_, source, reason) => {
  expect(addToCorpus({ file: "export.yml", source }, [attack("b", "two")])).toMatchObject({
    ok: false,
    reason: expect.stringContaining(reason),
  });
});

it("refuses what would be more than is read of a corpus", () => {
  const long = (n: number) => attack(`a-${n}`, `${n} ${"x".repeat(15_000)}`);
  const large = Array.from({ length: 300 }, (_, n) => long(n));
  expect(addToCorpus(corpus, large)).toEqual({
    ok: false,
    reason: expect.stringMatching(/would have \d+ bytes, and at most 4194304 are read/),
  });
  const many = Array.from({ length: 2001 }, (_, n) => attack(`a-${n}`, `${n}`));
  expect(addToCorpus(corpus, many)).toEqual({ ok: false, reason: expect.stringContaining("would have more than 2000 entries") });
});
