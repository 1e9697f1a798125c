import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { packageFolder } from "../src/cli/process-context.ts";

const root = packageFolder();

interface Row {
  readonly number: string;
  readonly input: string;
  readonly shown: string;
}

/** The rows of a table whose first cell is a number such as B07 or B100. */
function rowsOf(document: string): readonly Row[] {
  return [...readFileSync(join(root, document), "utf8").matchAll(/^\| ([A-Z]\d{2,3}) \| (.*) \| (.+) \|$/gm)].map(
    ([, number = "", input = "", shown = ""]) => ({
      number,
      input,
      shown,
    }),
  );
}

/** Named tests that are not there, one sentence each. A cell names tests as "`file` text", several of them with a semicolon between. */
function missingTests(rows: readonly Row[]): readonly string[] {
  return rows.flatMap(({ number, shown }) =>
    shown.startsWith("does not apply: ") || shown.startsWith("wide tier: ")
      ? []
      : shown.split("; `").flatMap((named) => {
          const [, file = "", text = ""] = /^`?([^`]+)` (.+)$/.exec(named) ?? [];
          if (!existsSync(join(root, file)) || file === "") return [`${number}: there is no file ${file} (${named})`];
          return readFileSync(join(root, file), "utf8").includes(text) ? [] : [`${number}: ${file} has no "${text}"`];
        }),
  );
}

describe("docs/bad-inputs.md", () => {
  const rows = rowsOf("docs/bad-inputs.md");

  it("has every number once", () => {
    expect(rows.map(({ number }) => number)).toEqual(
      Array.from({ length: rows.length }, (_, index) => `B${String(index + 1).padStart(2, "0")}`),
    );
  });

  it("has every input once", () => {
    expect(rows.map(({ input }) => input)).toEqual([...new Set(rows.map(({ input }) => input))]);
  });

  it("names tests that exist, or says why the input does not apply", () => {
    expect(missingTests(rows)).toEqual([]);
  });
});

describe("docs/faults.md", () => {
  const rows = rowsOf("docs/faults.md");

  it("has every fault that is held with every change", () => {
    const wanted = [
      "F01",
      "W01",
      "W02",
      "W03",
      "W04",
      "W05",
      "W06",
      "W07",
      "W08",
      "W09",
      "T01",
      "T02",
      "T03",
      "T04",
      "A01",
      "A02",
      "A03",
      "C01",
    ];
    expect(rows.map(({ number }) => number)).toEqual(expect.arrayContaining([...wanted, "R01", "R06", "R12"]));
  });

  it("names tests that exist", () => {
    expect(missingTests(rows)).toEqual([]);
  });
});
