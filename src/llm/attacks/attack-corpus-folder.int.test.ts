import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { createAttackCorpusFolder } from "./attack-corpus-folder.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "runbookd-corpora-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string | Buffer) => writeFileSync(join(folder, name), text);
const corpus = "attacks: [{ id: a, turns: [x], success: { contains: y } }]\n";

it("reads the corpus of a feature anew each time", async () => {
  const corpora = createAttackCorpusFolder(folder);
  expect(await corpora.read("export")).toEqual({ kind: "none" });
  write("export.yml", corpus);
  expect(await corpora.read("export")).toMatchObject({ kind: "corpus", corpus: { feature: "export", attacks: [{ id: "a" }] } });
  write("export.yml", corpus.replace("id: a", "id: b"));
  expect(await corpora.read("export")).toMatchObject({ corpus: { attacks: [{ id: "b" }] } });
});

it("says where a corpus is wrong", async () => {
  write("export.yml", "attacks:\n  - id: a\n    turns: [x]\n    success: { regex: '(' }\n");
  expect(await createAttackCorpusFolder(folder).read("export")).toEqual({
    kind: "unreadable",
    faults: [expect.stringMatching(/export\.yml:4:\d+: The regular expression cannot be read/)],
  });
});

it("refuses what is no text, what is too large, and what is no file, and waits for none of them", async () => {
  const corpora = createAttackCorpusFolder(folder);
  write("bytes.yml", Buffer.from([0x61, 0xff]));
  write("large.yml", `#${"x".repeat(4 * 1024 * 1024)}`);
  mkdirSync(join(folder, "folder.yml"));
  execFileSync("mkfifo", [join(folder, "pipe.yml")]);
  for (const feature of ["bytes", "large", "folder", "pipe"]) expect(await corpora.read(feature)).toMatchObject({ kind: "unreadable" });
});

it("reads nothing outside of its folder", async () => {
  write("secret.yml", corpus);
  const corpora = createAttackCorpusFolder(join(folder, "below"));
  expect(await corpora.read("../secret")).toMatchObject({ kind: "unreadable" });
});

it("lists the features that have a file", async () => {
  write("search.yml", corpus);
  write("export.yml", "no corpus");
  write("notes.md", "");
  write(".hidden.yml", "");
  expect(await createAttackCorpusFolder(folder).list()).toEqual(["export", "search"]);
  expect(await createAttackCorpusFolder(join(folder, "gone")).list()).toBeUndefined();
});
