import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import { sha256 } from "./json.ts";

/** A journal in order; the first entry is always `accepted`. */
export type Journal = readonly JournalEntry[];

/** The head before the first entry. */
export const genesisHead = "0";

/** The last member of a record's text: the beginning of the head after it. */
const linkPattern = /,"link":"[0-9a-f]{16}"\}$/u;

/** A record's text without its link. A record of an earlier version has none, and is the same. */
export function withoutLink(text: string): string {
  return text.replace(linkPattern, "}");
}

/** Hash chain: the head after the record `text` (the stored JSON) follows `head`. */
export function nextHead(head: string, text: string): string {
  return sha256(`${head}\n${withoutLink(text)}`);
}

/** The text of one record: the entries that one write has added. What they have in common with the first is written once. */
export function recordText(entries: readonly JournalEntry[]): string {
  const [first, ...others] = entries;
  if (first === undefined || others.length === 0) return JSON.stringify(first);
  const { at } = first;
  const epoch = others.every((entry) => entry.epoch === first.epoch) ? first.epoch : undefined;
  const members = entries.map((entry) => ({
    ...entry,
    ...(entry.at === at && { at: undefined }),
    ...(epoch !== undefined && { epoch: undefined }),
  }));
  return JSON.stringify({ at, epoch, entries: members });
}

/** The entries of a record as it was stored: one, or those that were written together. Throws when the text is none: then the ledger is damaged. */
export function parseRecord(text: string): readonly JournalEntry[] {
  const value: unknown = JSON.parse(text);
  const entries = isGroup(value) ? value.entries.map((entry) => expand(entry, value)) : [value];
  if (entries.length === 0 || !entries.every(isEntry)) throw new Error(`This is no journal entry: ${text.slice(0, 80)}`);
  // Of the chain, not of what happened.
  for (const entry of entries) for (const member of ["mark", "link"]) Reflect.deleteProperty(entry, member);
  return entries;
}

interface Group {
  readonly at?: unknown;
  readonly epoch?: unknown;
  readonly entries: readonly unknown[];
}

function expand(entry: unknown, { at, epoch }: Group): unknown {
  if (typeof entry !== "object" || entry === null) return entry;
  return { at, ...(epoch !== undefined && { epoch }), ...entry };
}

function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && "entries" in value && Array.isArray(value.entries);
}

/** Only a worker writes a journal, and it writes entries; this check recognizes what is no entry at all. */
function isEntry(value: unknown): value is JournalEntry {
  return (
    typeof value === "object" &&
    value !== null &&
    "kind" in value &&
    typeof value.kind === "string" &&
    "at" in value &&
    typeof value.at === "number"
  );
}
