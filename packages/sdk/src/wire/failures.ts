import { z } from "zod";
import type { Shape } from "./shape.ts";

/**
 * Why something failed: a closed set. It is the metric label, the log field and (through `describeFailure`) the sentence in the mail.
 */
export const failureReasons = [
  "invalid_parameters", // The resolved parameters do not fit the action's schema.
  "expression_error", // A When or a template could not be evaluated.
  "expectation_false", // The action worked, its Expected did not hold.
  "expectation_inconclusive", // The Expected could not be seen: no data, NaN, stale.
  "not_reachable", // Refused connection, DNS, TLS: certainly not applied.
  "refused_by_target", // The target said no (4xx): certainly not applied.
  "overloaded", // 429 or 503: not applied, try later.
  "unknown_outcome", // Timeout or reset after sending: it may have been applied.
  "timeout", // The attempt's own time limit.
  "refused_by_guardrail",
  "prerequisite_false",
  "runbook_corrupt", // The pinned bytes are gone or their hash differs.
  "poisoned", // Claimed again and again without progress.
  "expired", // The run's running time is over.
  "stopped_by_person",
  "defect", // An exception nobody expected.
] as const;

/** See {@link failureReasons}. */
export type FailureReason = (typeof failureReasons)[number];

/** A failure as a value. `applied` says whether the target may have changed. */
export const failureSchema = z
  .object({
    reason: z.enum(failureReasons),
    /** One sentence for a person; may be mailed, so it holds no secret. */
    message: z.string(),
    applied: z.enum(["no", "unknown"]),
    /** Earliest useful retry, from Retry-After. */
    retryAfterMs: z.exactOptional(z.number()),
  })
  .meta({ id: "Failure" });

/** See {@link failureSchema}. */
export type Failure = Shape<typeof failureSchema>;
