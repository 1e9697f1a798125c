import { nextHead } from "../core/journal.ts";

/** What is kept of the audit log outside Redis: how many records it had, and the head behind the last of them. */
export interface AuditAnchor {
  readonly head: string;
  /** Records ever written, those included that were dropped for their age. */
  readonly count: number;
}

/** The audit log, or the part of it behind `dropped` records, as Redis holds it. */
export interface HeldAudit {
  readonly texts: readonly string[];
  /** The head before the first of `texts`. */
  readonly start: string;
  /** Records before the first of `texts`. */
  readonly dropped: number;
}

/**
 * What shows that this is not the log which the anchor was taken of, or that records are gone; `index` is that of the first record in question.
 * Undefined when the log continues the anchored one, and when the anchored record was dropped for its age.
 */
export function findAnchorFault(
  anchor: AuditAnchor,
  { texts, start, dropped }: HeldAudit,
): { readonly index: number; readonly what: string } | undefined {
  const count = dropped + texts.length;
  if (anchor.count < dropped) return undefined;
  if (anchor.count > count) {
    return { index: count, what: `records were removed: ${anchor.count} are known outside Redis, and it holds ${count}` };
  }
  const head = texts.slice(0, anchor.count - dropped).reduce(nextHead, start);
  if (head === anchor.head) return undefined;
  return {
    index: dropped,
    what: `the log was replaced: its first ${anchor.count} records do not lead to the head that is kept outside Redis`,
  };
}
