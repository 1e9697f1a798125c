import { expect, it } from "@jest/globals";
import type { FolderChange, FolderDocument } from "./runbook-folder.ts";
import { createRunbookWatch } from "./watch-runbooks.ts";

const broken: FolderDocument = {
  id: "cost",
  file: "cost.md",
  source: "",
  diagnostics: [{ severity: "error", rule: "x", file: "cost.md", position: { line: 1, column: 1 }, message: "bad", accepted: "good" }],
};

function aLog() {
  const lines: string[] = [];
  const write = (kind: string) => (_fields: object, text: string) => void lines.push(`${kind}: ${text}`);
  return { lines, log: { info: write("info"), error: write("error") } };
}

it("tells of a file that is not good once, also when nothing else has changed, and again when it is bad in another way", async () => {
  const { lines, log } = aLog();
  const looks: FolderChange[] = [
    { changed: [], broken: [broken] },
    { changed: [], broken: [broken] },
    { changed: [], broken: [{ ...broken, diagnostics: [] }] },
    { changed: ["cost"], broken: [] },
  ];
  const look = createRunbookWatch(
    {
      list: () => [],
      get: () => undefined,
      match: () => undefined,
      refresh: async () => looks.shift() ?? Promise.reject(new Error("ENOENT")),
    },
    log,
  );
  for (let times = 0; times < 5; times += 1) await look();
  const bad = "error: A runbook is not good; its last good version, if any, stays.";
  expect(lines).toEqual([bad, bad, "info: Runbooks were loaded.", "error: The runbook folder cannot be read; the running set stays."]);
});
