import type { z } from "zod";
import {
  type ReportedSecurityFinding,
  reportedSecurityFindingSchema,
  type SeverityClass,
} from "../../../../packages/sdk/src/wire/security-findings.ts";
import type { Instant } from "../../../core/clock.ts";
import { sha256 } from "../../../core/json.ts";
import { cleanFinding, cleanLine } from "../clean-finding.ts";

/** What is said of one item of a document; `at` is its place, e.g. `runs[0].results[3]`. `passed_over`: it is no finding, and `reason` says what it is. */
export type FindingReading =
  | { readonly kind: "finding"; readonly at: string; readonly finding: ReportedSecurityFinding }
  | { readonly kind: "unreadable" | "passed_over"; readonly at: string; readonly reason: string };

/** A document's items, each read when it is asked for, or why nothing of the document is taken. No sentence quotes the document. */
export type DocumentReading =
  | {
      readonly kind: "document";
      /** Number of the readings. */
      readonly count: number;
      readonly readings: Iterable<FindingReading>;
      /** What makes the document doubtful as a whole. */
      readonly warnings: readonly string[];
      /** Why findings of its source may be missing: its tool failed, or has not scanned. Absent: nothing says so. */
      readonly failure?: string;
    }
  | { readonly kind: "refused"; readonly reason: string };

/** What a document is read with. */
export interface ImportContext {
  /** Who found it; absent: what the document says of its tool. */
  readonly source?: string;
  /** Of findings whose document names none. */
  readonly repository?: string;
  readonly feature?: string;
  /** The time of findings whose document has none. */
  readonly importedAt: Instant;
}

/** Items of one document; a larger one is divided by who sends it. */
export const maxDocumentItems = 100_000;

/** A finding before it is proven: as the schema's input, and anything in its place. */
export type FindingDraft = z.input<typeof reportedSecurityFindingSchema>;

/** Proves a finding and cleans its texts. */
export function readDraft(at: string, draft: unknown): FindingReading {
  const parsed = reportedSecurityFindingSchema.safeParse(draft);
  if (parsed.success) return { kind: "finding", at, finding: cleanFinding(parsed.data) };
  const [issue] = parsed.error.issues;
  const path = issue?.path.join(".") ?? "";
  return { kind: "unreadable", at, reason: cleanLine(`${path === "" ? "The item" : path}: ${issue?.message ?? "is not accepted"}.`, 300) };
}

/** A member of an untrusted value; undefined where there is none. */
export function member(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value;
  for (const name of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, name)) return undefined;
    current = Reflect.get(current, name);
  }
  return current;
}

/** Characters in which a text must say something. */
const maxBlankCharacters = 1000;

/** The value when it is a text whose beginning has something in it. A text that many items share is asked for each of them, so its length costs nothing. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.slice(0, maxBlankCharacters).trim() !== "" ? value : undefined;
}

/** The value when it is a list, else an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Longer than any number or word of a severity. */
const maxWordCharacters = 100;

/** A number, or a text that is one. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  return typeof value === "string" && value.length <= maxWordCharacters && /^\d{1,3}(?:\.\d{1,6})?$/.test(value.trim())
    ? Number(value)
    : undefined;
}

/** The class of a score of 0 to 10, as CVSS and GitHub divide it; undefined for anything else, and for 0, which scanners write where they know none. */
export function classOfScore(value: unknown): SeverityClass | undefined {
  const score = numberOf(value);
  if (score === undefined || score <= 0 || score > 10) return undefined;
  return score >= 9 ? "critical" : score >= 7 ? "high" : score >= 4 ? "medium" : "low";
}

const severityWords: Readonly<Record<string, SeverityClass>> = {
  critical: "critical",
  high: "high",
  important: "high",
  moderate: "medium",
  medium: "medium",
  low: "low",
  negligible: "low",
  none: "low",
  info: "low",
  informational: "low",
};

/** The class that a scanner's word means. */
export function classOfWord(value: unknown): SeverityClass | undefined {
  const word = typeof value === "string" && value.length <= maxWordCharacters ? value.trim().toLowerCase() : "";
  return Object.hasOwn(severityWords, word) ? severityWords[word] : undefined;
}

/** A time as documents write it (RFC 3339), not later than the import; undefined for anything else. */
export function timeOf(value: unknown, importedAt: Instant): Instant | undefined {
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/.test(value))
    return undefined;
  const at = Date.parse(value);
  return Number.isNaN(at) || at < 0 || at > importedAt ? undefined : Math.floor(at);
}

/** The name of a source made of that of a tool, e.g. `semgrep-oss`. */
export function sourceNameOf(tool: string): string | undefined {
  const name = cleanLine(tool, 60)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 60);
  return name === "" ? undefined : name;
}

/** A ref that people recognize and that two different items do not share: a short text, and the hash of what identifies the item. */
export function refOf(text: string, identity: readonly unknown[]): string {
  return `${cleanLine(text, 200)}@${sha256(JSON.stringify(identity)).slice(0, 32)}`;
}

/** Ids of weaknesses in any of these texts, as their publishers write them. */
export function weaknessOf(texts: readonly unknown[]): FindingDraft["weakness"] {
  const text = texts
    .filter((one): one is string => typeof one === "string")
    .map((one) => one.slice(0, 200))
    .join("\n")
    .slice(0, 20_000);
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, id = ""]) => id);
  const cwe = [...new Set(all(/\bcwe-0{0,4}(\d{1,6})\b/gi))].filter((id) => Number(id) > 0).slice(0, 50);
  const [cve] = all(/\b(CVE-\d{4}-\d{4,19})\b/gi);
  const [ghsa] = all(/\b(GHSA(?:-[23456789cfghjmpqrvwx]{4}){3})\b/gi);
  const owasp = [...new Set(all(/\b((?:LLM|ASI|AST)\d{2}:\d{4})\b/g))].slice(0, 20);
  return {
    cwe: cwe.map((id) => `CWE-${Number(id)}`),
    ...(cve !== undefined && { cve: cve.toUpperCase() }),
    ...(ghsa !== undefined && { ghsa: `GHSA${ghsa.slice(4).toLowerCase()}` }),
    owasp,
  };
}
