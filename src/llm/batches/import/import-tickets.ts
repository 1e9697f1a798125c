import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import { canonicalReference } from "../../../core/canonical-reference.ts";
import { isJsonObject } from "../../../core/json.ts";
import { readGitHubIssue } from "./github-issue.ts";
import { createPlaces, type FilePlace, type ImportFault } from "./import-fault.ts";
import { type ImportDefaults, type ImportedTicket, type ImportRow, misspelledColumn, readImportRow } from "./import-row.ts";
import { readCsv } from "./read-csv.ts";
import { deepestJson, scanJson } from "./scan-json.ts";

/** Forms of a file of tickets. */
export const importFormats = ["csv", "jsonl", "github"] as const;

/** See {@link importFormats}. */
export type ImportFormat = (typeof importFormats)[number];

/** Most tickets of one file. */
export const maxImported = 100_000;

/** Faults beyond these are counted and not listed: nobody reads them. */
const maxListed = 1000;

/** The tickets of a file. With one fault or more nothing of it may be handed in. */
export interface TicketImport {
  readonly tickets: readonly ImportedTicket[];
  /** In the order of the file. */
  readonly faults: readonly ImportFault[];
  /** Faults beyond those listed. */
  readonly unlisted: number;
  /** Pull requests that were among the issues. */
  readonly skipped: number;
}

/** Where rows of any form go, and the faults that are found before there is a row. */
interface RowSink {
  readonly take: (row: ImportRow) => void;
  readonly faults: ImportFault[];
}

/** The form that a file's name or its beginning tells. */
export function formatOf(name: string, text: string): ImportFormat {
  if (/\.csv$/i.test(name)) return "csv";
  if (/\.(jsonl|ndjson)$/i.test(name)) return "jsonl";
  const first = /^[\uFEFF\s]*(\S)/u.exec(text)?.[1];
  if (first === "[") return "github";
  return first === "{" ? "jsonl" : "csv";
}

/** Reads a file of tickets as a whole; every fault of every ticket is told at once. Pure. */
export function importTickets(text: string, format: ImportFormat, defaults: ImportDefaults): TicketImport {
  const faults: ImportFault[] = [];
  const tickets: ImportedTicket[] = [];
  const lines = new Map<string, number>();
  let skipped = 0;

  const take = (row: ImportRow): void => {
    const read = readImportRow(row, defaults);
    faults.push(...read.faults);
    if (read.ticket === undefined) return;
    const { externalRef, place } = read.ticket;
    const reference = canonicalReference(externalRef);
    const first = lines.get(reference);
    if (first !== undefined) {
      faults.push({ ...row.placeOf("ref"), message: `The reference ${externalRef} stands in line ${first} already.` });
      return;
    }
    lines.set(reference, place.line);
    tickets.push(read.ticket);
  };

  switch (format) {
    case "csv":
      csvRows(text, { faults, take });
      break;
    case "jsonl":
      jsonRows(text, { faults, take });
      break;
    case "github":
      skipped = issueRows(text, defaults.repo, { faults, take });
      break;
  }
  if (tickets.length > maxImported)
    faults.push({ line: 1, column: 1, message: `${tickets.length} tickets; accepted are ${maxImported} in one batch.` });
  if (tickets.length === 0 && faults.length === 0)
    faults.push({ line: 1, column: 1, message: "There is no ticket in it; a batch without tickets is refused." });
  const inOrder = faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return { tickets, faults: inOrder.slice(0, maxListed), unlisted: Math.max(0, inOrder.length - maxListed), skipped };
}

function csvRows(text: string, { faults, take }: RowSink): void {
  const { records, faults: broken } = readCsv(text);
  faults.push(...broken);
  const [header, ...rows] = records;
  if (header === undefined) return;
  const names = header.map((field) => field.text.trim());
  for (const [index, name] of names.entries()) {
    const place = header[index] ?? { line: 1, column: 1 };
    if (name === "") faults.push({ ...at(place), message: "A column without a name; the first line names every column." });
    else if (names.indexOf(name) < index) faults.push({ ...at(place), message: `Two columns are called ${name}.` });
    const spelling = misspelledColumn(name);
    if (spelling !== undefined) faults.push({ ...at(place), message: `The column ${name} must be written \`${spelling}\`.` });
  }
  for (const record of rows) {
    const first = at(record[0] ?? { line: 1, column: 1 });
    if (record.length !== names.length) {
      faults.push({ ...first, message: `${record.length} fields; the first line names ${names.length} columns.` });
      continue;
    }
    const values = Object.fromEntries(names.map((name, index) => [name, record[index]?.text ?? ""]));
    take({ values, placeOf: (name) => (name === undefined ? first : at(record[names.indexOf(name)] ?? first)) });
  }
}

function jsonRows(text: string, { faults, take }: RowSink): void {
  for (const [index, raw] of text.split("\n").entries()) {
    const written = index === 0 && raw.startsWith("\uFEFF") ? raw.slice(1) : raw;
    if (written.trim() === "") continue;
    const line = index + 1;
    const value = parseLine(written);
    if (value === undefined) {
      const scan = scanJson(written);
      faults.push(
        scan.ok
          ? { line, column: 1, message: "This line is not JSON." }
          : { line, column: scan.offset + 1, message: `Not JSON here; accepted is ${scan.expected}.` },
      );
      continue;
    }
    if (!isJsonObject(value)) {
      faults.push({ line, column: 1, message: "A ticket is one JSON object per line." });
      continue;
    }
    const placeOf = placesIn(written, "", (offset) => ({ line, column: offset + 1 }));
    for (const name of Object.keys(value)) {
      const spelling = misspelledColumn(name);
      if (spelling !== undefined) faults.push({ ...placeOf(name), message: `The member ${name} must be written \`${spelling}\`.` });
    }
    take({ values: value, placeOf });
  }
}

/** A line as JSON, unless it is none or nests too deep. */
function parseLine(line: string): Json | undefined {
  const brackets = line.match(/[[{]/g)?.length ?? 0;
  if (brackets >= deepestJson && !scanJson(line).ok) return undefined;
  try {
    const value: Json = JSON.parse(line);
    return value;
  } catch {
    return undefined;
  }
}

function issueRows(source: string, repo: string | undefined, { faults, take }: RowSink): number {
  const text = source.startsWith("\uFEFF") ? source.slice(1) : source;
  const places = createPlaces(text);
  const scan = scanJson(text);
  if (!scan.ok) {
    faults.push({ ...places(scan.offset), message: `Not JSON here; accepted is ${scan.expected}.` });
    return 0;
  }
  const list: Json = JSON.parse(text);
  if (!Array.isArray(list)) {
    faults.push({
      line: 1,
      column: 1,
      message: "An export of issues is one JSON list, as `gh issue list --json number,title,body,labels,url` writes it.",
    });
    return 0;
  }
  let skipped = 0;
  for (const [index, item] of list.entries()) {
    const placeOf = (member?: string) => places(scan.placeOf(`/${index}/${member ?? ""}`) ?? scan.placeOf(`/${index}`) ?? 0);
    const issue = readGitHubIssue(item, repo);
    switch (issue.kind) {
      case "pull request":
        skipped += 1;
        break;
      case "wrong":
        faults.push(
          ...issue.issues.map(({ member, message }) => ({
            ...placeOf(member),
            message: member === "" ? "An issue is a JSON object." : `\`${member}\` must be ${message}.`,
          })),
        );
        break;
      case "row":
        take({ values: issue.values, placeOf: (name) => placeOf(name === "ref" ? "number" : name) });
        break;
    }
  }
  return skipped;
}

/** Looked for only when a fault needs it. */
function placesIn(text: string, path: string, place: (offset: number) => FilePlace): (name?: string) => FilePlace {
  return (name) => {
    const scan = name === undefined ? undefined : scanJson(text);
    return place((scan?.ok === true ? scan.placeOf(`${path}/${name ?? ""}`) : undefined) ?? 0);
  };
}

function at({ line, column }: FilePlace): FilePlace {
  return { line, column };
}
