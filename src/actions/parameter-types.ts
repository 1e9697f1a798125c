import { z } from "zod";
import { durationGrammar, parseDuration } from "../core/duration.ts";
import { StepFailure } from "../core/failure.ts";

/** A duration in Prometheus's grammar. `format: "duration"` in its metadata tells a demo which values to scale. */
export function durationParameter(description: string) {
  return z
    .string()
    .refine((text) => (parseDuration(text) ?? 0) > 0, { message: `must be ${durationGrammar}, more than zero` })
    .meta({ format: "duration", description });
}

/** A PromQL query. `format: "promql"` in its metadata tells the engine to escape values inside quotes. */
export function promqlParameter(description: string) {
  return z.string().trim().min(1).max(10_000).meta({ format: "promql", description });
}

/** Exactly one budget by its id. Empty, a wildcard or a list is refused: empty never means all. */
export function budgetParameter() {
  return z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, { message: "must be the id of one budget: 1 to 40 of a-z, 0-9 and -" })
    .meta({ description: "Id of one budget." });
}

/** A configured group of recipients. Labels of an alert can only ever name a group, never an address. */
export function groupParameter() {
  return z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/, { message: "must be the name of one configured group of recipients" })
    .meta({ description: "Name of a configured group of recipients." });
}

/** Milliseconds of a proven duration parameter; throws StepFailure when it was not proven. */
export function millisecondsOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) {
    throw new StepFailure({ reason: "invalid_parameters", message: `"${text}" is not ${durationGrammar}.`, applied: "no" });
  }
  return ms;
}
