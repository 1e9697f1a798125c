import { z } from "zod";
import type { Shape } from "./shape.ts";

/** The process lives. */
export const healthSchema = z.object({ status: z.literal("ok") });

/** One named condition of being ready. `detail` says what is wrong, without a secret. */
export const conditionSchema = z.object({ name: z.string(), ok: z.boolean(), detail: z.exactOptional(z.string()) });

/** See {@link conditionSchema}. */
export type Condition = Shape<typeof conditionSchema>;

/** How one part of the installation does. `unknown`: it is not configured, or has never been seen. */
export const healthCheckSchema = z.object({
  name: z.enum(["redis", "runs", "watchdog", "prometheus", "alertmanagers"]),
  state: z.enum(["ok", "bad", "unknown"]),
  /** What was measured, or what is wrong and what to do. */
  detail: z.string(),
});

/** See {@link healthCheckSchema}. */
export type HealthCheck = Shape<typeof healthCheckSchema>;

/** Whether work can be accepted. */
export const readinessSchema = z.object({ ready: z.boolean(), conditions: z.array(conditionSchema) });
