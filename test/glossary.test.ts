import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { packageFolder } from "../src/cli/process-context.ts";

/** docs/glossary.md explains the nouns of src/core, each once. */
const root = packageFolder();
const rows = [...readFileSync(join(root, "docs/glossary.md"), "utf8").matchAll(/^\| (?!word \||---)([^|]+) \|[^|]*\|([^|]*)\|$/gm)];
const words = rows.flatMap(([, cell = ""]) => cell.split(",").map((word) => word.trim().toLowerCase()));
const inCode = rows.flatMap(([, , cell = ""]) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name));

const exported = readdirSync(join(root, "src/core"))
  .filter((name) => /(?<!\.test)\.ts$/.test(name))
  .flatMap((name) => [...readFileSync(join(root, "src/core", name), "utf8").matchAll(/^export (?:interface|type|class) (\w+)/gm)])
  .map(([, name = ""]) => name);

/** Names of programming, and results of one function, whose comment says all. */
const needNone = new Set([
  "CommandJob",
  "DecodedText",
  "EventSink",
  "FilteredFiles",
  "GitHubAlertKind",
  "GitSetting",
  "Ids",
  "LinearPattern",
  "Log",
  "LogFields",
  "LongWork",
  "LongWorkCall",
  "LoopJudgement",
  "PatternReading",
  "Periodic",
  "PeriodicWork",
  "Random",
  "RandomSource",
  "Tick",
  "Timer",
]);

it("explains every noun that src/core exports, or it is on the list of those that need no entry", () => {
  expect(exported.length).toBeGreaterThan(60);
  expect(exported.filter((name) => !inCode.includes(name) && !needNone.has(name))).toEqual([]);
});

it("has no word twice, and nothing on the list that is explained or gone", () => {
  expect(words.length).toBeGreaterThan(100);
  expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
  expect([...needNone].filter((name) => inCode.includes(name) || !exported.includes(name))).toEqual([]);
});
