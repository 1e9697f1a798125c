import { expect, it } from "@jest/globals";
import { readFindingsDocument } from "./read-findings-document.ts";

/** Items that name what they share, and members of what is shared: read for every item they are millions. */
const [items, members] = [200, 5000];
/** Some for each item, and all that is shared a few times. */
const maxReads = items * 1000 + members * 10;

/** A list or an object, and how often a member of it was read. */
function counted<Value extends object>(value: Value): { readonly value: Value; readonly reads: () => number } {
  let reads = 0;
  const handler: ProxyHandler<Value> = {
    get(target, name, receiver) {
      reads += 1;
      return Reflect.get(target, name, receiver);
    },
  };
  return { value: new Proxy(value, handler), reads: () => reads };
}

const many = <Item>(count: number, make: (index: number) => Item) => Array.from({ length: count }, (_, index) => make(index));
const results = many(items, (nth) => ({
  ruleId: "r",
  message: { text: `m${nth}` },
  locations: [{ physicalLocation: { artifactLocation: { uri: "src/a.ts" } } }],
}));
const aSarif = (rule: object, run: object = {}) => ({
  version: "2.1.0",
  runs: [{ tool: { driver: { name: "x", rules: [{ id: "r", ...rule }] } }, results, ...run }],
});
const anOsv = (entry: object) => ({
  results: [{ packages: [{ package: { name: "a" }, vulnerabilities: many(items, (nth) => ({ id: `A-${nth}` })), ...entry }] }],
});
const aVex = (vulnerability: object) => ({
  bomFormat: "CycloneDX",
  vulnerabilities: [{ id: "CVE-2026-1111", affects: many(items, (nth) => ({ ref: `p${nth}` })), ...vulnerability }],
});

const tags = many(members, () => "a");
const relationships = many(members, () => ({ target: { id: "79" } }));
const uris = Object.fromEntries(many(members, (nth) => [`base${nth}`, { uri: "file:///checkout/" }]));
const groups = many(members, (nth) => ({ ids: [`B-${nth}`] }));
const vulnerabilities = many(members, (nth) => ({ id: `A-${nth}` }));
const references = many(members, () => ({ id: "x" }));

it.each([
  ["tags of a rule", tags, (shared: object) => aSarif({ properties: { tags: shared } })],
  ["weaknesses of a rule", relationships, (shared: object) => aSarif({ relationships: shared })],
  ["beginnings of addresses", uris, (shared: object) => aSarif({}, { originalUriBaseIds: shared })],
  ["groups of ids", groups, (shared: object) => anOsv({ groups: shared })],
  ["vulnerabilities of a package", vulnerabilities, (shared: object) => anOsv({ vulnerabilities: shared })],
  ["references of a vulnerability", references, (shared: object) => aVex({ references: shared })],
])("reads %s, which many items share, not once for each of them", (_name, shared, documentOf) => {
  const { value, reads } = counted(shared);
  const document = readFindingsDocument(documentOf(value), undefined, { source: "x", importedAt: 0 });
  if (document.kind !== "document") throw new Error(document.reason);
  const readings = [...document.readings];
  expect(readings.length).toBeGreaterThanOrEqual(items);
  expect(readings.every(({ kind }) => kind === "finding")).toBe(true);
  expect(reads()).toBeLessThan(maxReads);
});

it("takes a text whose beginning is blank for none, however long it is", () => {
  const blank = " ".repeat(1_000_000);
  const sarif = readFindingsDocument(aSarif({ shortDescription: { text: `${blank}x` }, name: "A rule" }), "sarif", {
    source: "x",
    importedAt: 0,
  });
  if (sarif.kind !== "document") throw new Error(sarif.reason);
  expect([...sarif.readings][0]).toMatchObject({ kind: "finding", finding: { title: "A rule" } });
});
