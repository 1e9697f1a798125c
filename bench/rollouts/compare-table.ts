import { median } from "../statistics.ts";

/** A figure of a simulation, and the figure that it must agree with where there is one. */
export type Cell =
  | {
      readonly kind: "share";
      readonly share: number;
      readonly runs: number;
      readonly reference?: { readonly share: number; readonly runs: number };
    }
  | { readonly kind: "median"; readonly median: number; readonly reference?: number };

/** Rows of figures with one name each. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly { readonly label: string; readonly cells: readonly Cell[] }[];
}

/** What of `values` holds `when`, 0 to 1; `expected` was found in `runs` runs of a reference program. */
export function shareCell<T>(
  values: readonly T[],
  when: (value: T) => boolean,
  reference?: { readonly share: number; readonly runs: number },
): Cell {
  return {
    kind: "share",
    share: values.filter(when).length / Math.max(1, values.length),
    runs: values.length,
    ...(reference && { reference }),
  };
}

/** The median of the values; a reference of null has none. */
export function medianCell(values: readonly number[], reference?: number): Cell {
  return { kind: "median", median: values.length === 0 ? 0 : median(values), ...(reference !== undefined && { reference }) };
}

/** Standard errors that a share may be away from its reference, and what part of it a median may be away. */
const maxErrors = 3;
const maxMedianRatio = 0.1;

/** A line for each cell that is away from its reference by more than chance explains. */
export function disagreements(table: Table): readonly string[] {
  return table.rows.flatMap(({ label, cells }) =>
    cells.flatMap((cell, index) => (agrees(cell) ? [] : [`${table.title}: ${label}, ${table.columns[index] ?? ""}: ${formatCell(cell)}`])),
  );
}

function agrees(cell: Cell): boolean {
  if (cell.reference === undefined) return true;
  if (cell.kind === "median") return Math.abs(cell.median - cell.reference) <= maxMedianRatio * cell.reference;
  const { share, runs, reference } = cell;
  const pooled = (share * runs + reference.share * reference.runs) / (runs + reference.runs);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / runs + 1 / reference.runs));
  return Math.abs(share - reference.share) <= maxErrors * error;
}

function formatCell(cell: Cell): string {
  if (cell.kind === "median") return `${Math.round(cell.median)}${cell.reference === undefined ? "" : ` (${cell.reference})`}`;
  const percent = (share: number) => (100 * share).toFixed(1);
  return `${percent(cell.share)} %${cell.reference === undefined ? "" : ` (${percent(cell.reference.share)})`}`;
}

/** The table as text; a reference is in parentheses behind its figure. */
export function renderTable({ title, columns, rows }: Table): string {
  const lines = [["", ...columns], ...rows.map(({ label, cells }) => [label, ...cells.map(formatCell)])];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  const text = lines.map((line) =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  "),
  );
  return `${title}\n${text.map((line) => `  ${line.trimEnd()}`).join("\n")}\n`;
}
