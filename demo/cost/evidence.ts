import { z } from "zod";
import type { Instant } from "../../src/core/clock.ts";

const entrySchema = z.looseObject({ kind: z.string(), at: z.number() });
const startSchema = z.object({
  kind: z.literal("ticket_started"),
  at: z.number(),
  askedAt: z.number(),
  ticketId: z.string(),
  resumed: z.boolean(),
});

/** One line of the application's evidence. */
export type Evidence = z.output<typeof entrySchema>;

/** A line that says when a ticket began or went on: it asked for permission at `askedAt` and had it at `at`. */
export type TicketStart = z.output<typeof startSchema>;

/** Reads the application's evidence. A last line that is not whole yet is left out; any other broken line throws, because evidence with a hole proves nothing. */
export function readEvidence(text: string): readonly Evidence[] {
  const lines = text.split("\n");
  lines.pop();
  return lines.filter((line) => line !== "").map((line) => entrySchema.parse(JSON.parse(line)));
}

/** The ticket starts among the evidence. */
export function ticketStarts(evidence: readonly Evidence[]): readonly TicketStart[] {
  return evidence.filter(({ kind }) => kind === "ticket_started").map((entry) => startSchema.parse(entry));
}

/**
 * Tickets that asked for permission after the gate was closed, and got it before it was open again.
 * A ticket that had asked before the closing may have been let in rightly, so only what was asked and answered inside the pause counts.
 */
export function countStartsWhilePaused(starts: readonly TicketStart[], closedAt: Instant, openedAt: Instant): number {
  return starts.filter(({ at, askedAt }) => askedAt > closedAt && at < openedAt).length;
}
