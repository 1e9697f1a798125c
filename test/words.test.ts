import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "@jest/globals";

const root = join(import.meta.dirname, "..");
const product = ["src", "workers", "packages/sdk/src"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => join(folder, file)),
);

/** Words that were metaphors or meant several things, as parts of a name in any case; what stands behind them is said in the field's terms. */
const retired = ["desk", "board", "sight", "doorbell", "keeper", "patience"];
/** Names of our own choice are spelled as in American English. */
const british = /(?:analy|normali|initiali|summari|recogni|authori|organi|optimi)s(?:e|ing|ed|er)/i;

/** A name as lower-case words: `createNearDoorbell` and `near-doorbell` are both "create near doorbell". */
const wordsOf = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/[-_]/g, " ")
    .toLowerCase();
const isRetired = (name: string) =>
  wordsOf(name)
    .split(" ")
    .some((word) => retired.includes(word)) || british.test(name);

const declared = (file: string) =>
  [
    ...readFileSync(join(root, file), "utf8").matchAll(
      /^(?:export )?(?:async )?(?:interface|type|class|const|function\*?) ([A-Za-z]\w*)/gm,
    ),
  ].map(([, name = ""]) => name);

it("recognizes a retired word in a name, and nothing that only contains its letters", () => {
  expect(["QuestionDesk", "near-doorbell", "CacheBoard", "normaliseUsage"].filter((name) => !isRetired(name))).toEqual([]);
  expect(["dashboardFiles", "insight", "keyboard", "normalizeUsage"].filter((name) => isRetired(name))).toEqual([]);
});

it("names no file of the product by a retired word", () => {
  expect(product.length).toBeGreaterThan(500);
  expect(product.filter((file) => isRetired(file.replace(/^.*\/|\.ts$/g, "")))).toEqual([]);
});

it("declares nothing in the product by a retired word", () => {
  const names = product.flatMap((file) => declared(file).map((name) => ({ file, name })));
  expect(names.length).toBeGreaterThan(2000);
  expect(names.filter(({ name }) => isRetired(name)).map(({ file, name }) => `${file}: ${name}`)).toEqual([]);
});
