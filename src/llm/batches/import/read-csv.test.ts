import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { readCsv } from "./read-csv.ts";

const texts = (source: string) => readCsv(source).records.map((record) => record.map(({ text }) => text));
const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;

describe("CSV", () => {
  it("gives back every field that was written in quotes, and says where it begins", () => {
    const field = fc.string({ unit: fc.constantFrom("a", "é", '"', ",", "\n", "\r", " ") });
    const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 6 });
    fc.assert(
      fc.property(table, fc.constantFrom("\n", "\r\n"), (rows, end) => {
        const source = rows.map((row) => row.map(quote).join(",") + end).join("");
        const read = readCsv(source);
        expect(read.faults).toEqual([]);
        expect(read.records.map((record) => record.map(({ text }) => text))).toEqual(rows);
        const lines = source.split("\n");
        for (const { line, column } of read.records.flat()) expect(lines[line - 1]?.[column - 1]).toBe('"');
      }),
    );
  });

  it("reads any text without an exception and loses no bare field", () => {
    const loses = fc.property(fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r") }), (source) => {
      const { records, faults } = readCsv(source);
      const letters = records.flat().reduce((sum, { text }) => sum + text.replaceAll(/[^a]/g, "").length, 0);
      return faults.length > 0 || letters === source.replaceAll(/[^a]/g, "").length;
    });
    expect(fc.check(loses, { numRuns: 2000 })).toMatchObject({ failed: false });
  });

  it("passes over a BOM and empty lines, and keeps empty fields", () => {
    expect(texts("\uFEFFa,b\r\n\r\n1,\n,2\n")).toEqual([
      ["a", "b"],
      ["1", ""],
      ["", "2"],
    ]);
    expect(texts("a,")).toEqual([["a", ""]]);
    expect(texts("")).toEqual([]);
  });

  it("tells every fault with its line and column, and reads on behind it", () => {
    const { records, faults } = readCsv('a,b\n1,x"y\n"2"z,3\n4,"open\n5,6');
    expect(faults).toEqual([
      { line: 2, column: 4, message: "A quote inside a field; put the whole field into quotes, and write the quote twice." },
      { line: 3, column: 4, message: "Text behind a closing quote; accepted is a comma or the end of the line." },
      { line: 4, column: 3, message: 'This quote is never closed; a quote inside a quoted field is written twice ("").' },
    ]);
    expect(records).toHaveLength(4);
  });
});
