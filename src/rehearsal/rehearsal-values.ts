import { z } from "zod";
import { durationGrammar, parseDuration } from "../core/duration.ts";
import type { Course } from "./rehearsal.ts";

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

/** A value, or a table of values by the time after the alert. */
export function course(value: typeof amount) {
  return z
    .union([value, z.record(z.string(), value)], {
      error: `must be a number, or a table of numbers by the time after the alert, e.g. \`{ 0s: 0.9, 2d: 0.7 }\``,
    })
    .transform((written, context): Course => {
      if (typeof written === "number") return written;
      const points = Object.entries(written).flatMap(([time, number]) => {
        const fromMs = parseDuration(time);
        return fromMs === undefined ? [] : [{ fromMs, value: number }];
      });
      if (points.length === Object.keys(written).length && points.some(({ fromMs }) => fromMs === 0))
        return points.toSorted((a, b) => a.fromMs - b.fromMs);
      context.addIssue({ code: "custom", message: `times must be ${durationGrammar}, and the first one 0s` });
      return z.NEVER;
    });
}
