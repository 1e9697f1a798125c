import { expect, it } from "@jest/globals";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
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
  return { lines, log: { info: write("info"), warn: write("warn"), error: write("error") } };
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
      refresh: async () => looks.shift() ?? Promise.reject(new Error("ENOENT")),
    },
    { log, clock: createFakeClock() },
  );
  for (let times = 0; times < 5; times += 1) await look();
  const bad = "error: A runbook is not good; its last good version, if any, stays.";
  expect(lines).toEqual([bad, bad, "info: Runbooks were loaded.", "error: The runbook folder cannot be read; the running set stays."]);
});

it("says once that the folder cannot be read, and again when it could be read in between", async () => {
  const { lines, log } = aLog();
  const absent = () => Promise.reject(new Error("ENOENT: no such file or directory, scandir 'runbooks'"));
  const present = async () => ({ changed: [], broken: [] });
  const looks = [absent, absent, absent, present, absent, absent];
  const look = createRunbookWatch({ refresh: async () => (looks.shift() ?? present)() }, { log, clock: createFakeClock() });
  for (let times = 0; times < 7; times += 1) await look();
  const line = "error: The runbook folder cannot be read; the running set stays.";
  expect(lines).toEqual([line, line]);
});

it("asks a folder that does not answer once, and says so after 10 s", async () => {
  const { lines, log } = aLog();
  const clock = createFakeClock();
  let asked = 0;
  let answer: (change: FolderChange) => void = () => undefined;
  const refresh = async () => {
    asked += 1;
    return new Promise<FolderChange>((resolve) => (answer = resolve));
  };
  const look = createRunbookWatch({ refresh }, { log, clock });
  const looks = [look(), look()];
  await clock.advance(9999);
  expect(lines).toEqual([]);
  await clock.advance(20_000);
  looks.push(look());
  expect(asked).toBe(1);
  answer({ changed: ["cost"], broken: [] });
  await Promise.all(looks);
  expect(lines).toEqual(["warn: The runbook folder does not answer; the running set stays until it does.", "info: Runbooks were loaded."]);
  void look();
  expect(asked).toBe(2);
});
