import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import { sha256 } from "./json.ts";

/** A journal in order; the first entry is always `accepted`. */
export type Journal = readonly JournalEntry[];

/** The head before the first entry. */
export const genesisHead = "0";

/** Hash chain: the head after `entryText` (the stored JSON) follows `head`. */
export function nextHead(head: string, entryText: string): string {
  return sha256(`${head}\n${entryText}`);
}

/** An entry as it was stored. Throws when the text is none: then the ledger is damaged. */
export function parseEntry(text: string): JournalEntry {
  const value: unknown = JSON.parse(text);
  if (!isEntry(value)) throw new Error(`This is no journal entry: ${text.slice(0, 80)}`);
  // Of the chain, not of what happened.
  Reflect.deleteProperty(value, "mark");
  return value;
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
