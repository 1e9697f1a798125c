import { z } from "zod";
import { parseAuditEntry } from "../core/audit.ts";

/** What the audit log knows of a run that has ended. */
export interface RecordedEnd {
  readonly head: string;
  /** Until then the run must be there. */
  readonly keptUntil: number;
}

const detailSchema = z.object({ runs: z.record(z.string(), z.object({ head: z.string(), keptUntil: z.number() })) });

/** The ends that records of the audit log name and that must still be there at `now`, by run. */
export function recordedEnds(texts: readonly string[], now: number): ReadonlyMap<string, RecordedEnd> {
  const ends = texts.flatMap((text) => {
    // Most records are of other kinds; reading them all would cost more than the chain itself.
    if (!text.includes('"kind":"runs_ended"')) return [];
    const { kind, detail } = parseAuditEntry(text);
    const parsed = detailSchema.safeParse(detail);
    return kind === "runs_ended" && parsed.success ? Object.entries(parsed.data.runs) : [];
  });
  return new Map(ends.filter(([, { keptUntil }]) => keptUntil > now));
}
