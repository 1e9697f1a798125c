import { z } from "zod";
import { durationGrammar, parseDuration } from "../core/duration.ts";

/** A duration, in milliseconds. */
export const duration = z.string().transform((text, context): number => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: "custom", message: `must be ${durationGrammar}` });
  return z.NEVER;
});
/** A number of at least 0. */
export const amount = z.number().nonnegative();
/** A whole number of at least 0. */
export const count = z.number().int().nonnegative();
/** A share, 0 to 1. */
export const ratio = z.number().min(0).max(1);
