import { z } from "zod";
import type { Shape } from "./shape.ts";

/** The process lives. */
export const healthSchema = z.object({ status: z.literal("ok") });

/** One named condition of being ready. `detail` says what is wrong, without a secret. */
export const conditionSchema = z.object({ name: z.string(), ok: z.boolean(), detail: z.exactOptional(z.string()) });

/** See {@link conditionSchema}. */
export type Condition = Shape<typeof conditionSchema>;

/** Whether work can be accepted. */
export const readinessSchema = z.object({ ready: z.boolean(), conditions: z.array(conditionSchema) });
