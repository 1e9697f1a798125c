import { expect, it } from "@jest/globals";
import { type Cell, disagreements, medianCell, renderTable, shareCell, type Table } from "./compare-table.ts";

const tableOf = (cell: Cell): Table => ({ title: "T", columns: ["c"], rows: [{ label: "r", cells: [cell] }] });
const shareOf = (count: number) =>
  shareCell(
    Array.from({ length: 100 }, (_, index) => index < count),
    Boolean,
    { share: 0.5, runs: 1000 },
  );

it("disagrees with a share more than three standard errors away, and with a median more than a tenth away", () => {
  expect(disagreements(tableOf(shareOf(65)))).toEqual([]);
  expect(disagreements(tableOf(shareOf(67)))).toEqual(["T: r, c: 67.0 % (50.0)"]);
  expect(disagreements(tableOf(medianCell([109, 109, 110], 100)))).toEqual([]);
  expect(disagreements(tableOf(medianCell([111], 100)))).toEqual(["T: r, c: 111 (100)"]);
});

it("asks nothing of a figure without a reference, and prints a reference behind its figure", () => {
  expect(disagreements(tableOf(medianCell([111])))).toEqual([]);
  expect(renderTable(tableOf(medianCell([111], 100)))).toBe("T\n             c\n  r  111 (100)\n");
});
