import type { AuditEntry } from "../../packages/sdk/src/wire/audit.ts";

/** Where acts of people are recorded. Resolves when the record is durable. */
export interface AuditLog {
  append(entry: AuditEntry): Promise<void>;
}

/** A record as it was stored. Throws when the text is none: then the log is damaged. */
export function parseAuditEntry(text: string): AuditEntry {
  const value: unknown = JSON.parse(text);
  if (!isAuditEntry(value)) throw new Error(`This is no audit record: ${text.slice(0, 80)}`);
  for (const member of ["mark", "link"]) Reflect.deleteProperty(value, member);
  return value;
}

function isAuditEntry(value: unknown): value is AuditEntry {
  return (
    typeof value === "object" &&
    value !== null &&
    "at" in value &&
    typeof value.at === "number" &&
    "kind" in value &&
    typeof value.kind === "string" &&
    "by" in value &&
    typeof value.by === "string" &&
    "subject" in value
  );
}
