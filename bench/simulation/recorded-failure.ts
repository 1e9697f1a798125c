import { z } from "zod";
import type { Violation } from "./violation.ts";

const failureSchema = z.object({
  /** From which the schedule was drawn before it was shrunken. */
  seed: z.number(),
  rule: z.string(),
  what: z.string(),
  /** See `Schedule`; what follows is 0. */
  decisions: z.array(z.number().int().min(0)),
});

/** A failing schedule as it is kept in a file. */
export type RecordedFailure = z.infer<typeof failureSchema>;

/** The text of the file. */
export function failureText(failure: {
  readonly seed: number;
  readonly violation: Violation | undefined;
  readonly decisions: readonly number[];
}): string {
  const { seed, violation, decisions } = failure;
  return `${JSON.stringify({ seed, rule: violation?.rule ?? "", what: violation?.what ?? "", decisions })}\n`;
}

/** Throws when the text is no recorded failure. */
export function parseFailure(text: string): RecordedFailure {
  return failureSchema.parse(JSON.parse(text));
}
