import { z } from "zod";
import { jsonSchema } from "./json.ts";
import type { Shape } from "./shape.ts";

/** What happens if it runs twice; classes R S K P O. */
export const effects = ["read", "set", "keyed", "probed", "once"] as const;

/** See {@link effects}. */
export type Effect = (typeof effects)[number];

/** What an action does to risk or spend. */
export const risks = ["none", "lowers", "raises"] as const;

/** One value that a plan would change. */
export const changeSchema = z.object({
  /** An explicit id, e.g. `budget/checkout`. Never a wildcard. */
  target: z.string(),
  field: z.string(),
  before: jsonSchema,
  after: jsonSchema,
});

/** See {@link changeSchema}. */
export type Change = Shape<typeof changeSchema>;

/** The result of a pure read: what would be done. Its hash (`planShaOf`) is what a person approves. */
export const planSchema = z
  .object({
    /** One sentence for people, e.g. "Close admission of budget checkout". */
    summary: z.string(),
    /** Explicit ids of everything that will be touched; a plan of a mutating action with none is refused. */
    targets: z.array(z.string()),
    changes: z.array(changeSchema),
    reversible: z.boolean(),
    /** Whatever `run`, `probe` and `undo` need beside the above. */
    data: jsonSchema,
  })
  .meta({ id: "Plan" });

/** See {@link planSchema}. */
export type Plan = Shape<typeof planSchema>;

/** What a person reads and an expression sees as `result`. */
export const actionOutputSchema = z.record(z.string(), jsonSchema);

/** See {@link actionOutputSchema}. */
export type ActionOutput = Shape<typeof actionOutputSchema>;
