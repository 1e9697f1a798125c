import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { Instant } from "./clock.ts";

/** What people did, and what they were refused. What runs did stands in their journals. */
export const auditKinds = [
  "answered",
  "answer_refused",
  "run_started",
  "run_aborted",
  "run_resumed",
  "run_repeated",
  "run_refused",
  "batch_submitted",
  "batch_changed",
  "batch_refused",
  "frozen",
  "unfrozen",
  "token_created",
  "token_revoked",
  "prompt_version_created",
  "prompt_label_moved",
  "prompt_label_refused",
  "prompt_canary_set",
  "finding_noted",
  "route_set",
] as const;

/** See {@link auditKinds}. */
export type AuditKind = (typeof auditKinds)[number];

/** One act of a person. Holds no secret. */
export interface AuditEntry {
  readonly at: Instant;
  readonly kind: AuditKind;
  /** The name of the caller's token; of a change that was found in a file: where it was found. */
  readonly by: string;
  /** What it was done to: id of a question, a run or a batch, scope of a freeze, name of a token. */
  readonly subject: string;
  readonly detail: { readonly [name: string]: Json };
}

/** Where acts of people are recorded. Resolves when the record is durable. */
export interface AuditLog {
  append(entry: AuditEntry): Promise<void>;
}

/** One record with its place; `index` goes on counting when the oldest records are dropped. */
export interface AuditRecord extends AuditEntry {
  readonly index: number;
}

/** A record as it was stored. Throws when the text is none: then the log is damaged. */
export function parseAuditEntry(text: string): AuditEntry {
  const value: unknown = JSON.parse(text);
  if (!isAuditEntry(value)) throw new Error(`This is no audit record: ${text.slice(0, 80)}`);
  Reflect.deleteProperty(value, "mark");
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
