import { z } from "zod";
import { listSchema } from "./page.ts";
import type { Shape } from "./shape.ts";
import { instantSchema } from "./units.ts";

/** Part of what a freeze may cover, in front of a colon and a name; the scope `all` has none. */
const scopePattern = /^(?:all|runbook:[a-z0-9][a-z0-9-]{0,99}|action:[a-z0-9][a-z0-9-]{0,99}|target:[^\s\p{Cc}]{1,300})$/u;

/** What scopes look like, for a message. */
export const scopeGrammar = "all, runbook:<id>, action:<name> or target:<id>";

/** Whether a text names a scope: `all`, `runbook:<id>`, `action:<name>` or `target:<id>`. */
export function isFreezeScope(text: string): boolean {
  return scopePattern.test(text);
}

/** What is frozen or lifted. */
export const freezeScopeSchema = z.string().refine(isFreezeScope, `expected ${scopeGrammar}`).default("all");

/** A request to set a freeze. */
export const newFreezeSchema = z.strictObject({
  scope: freezeScopeSchema,
  reason: z.string().trim().min(1).max(300),
  /** Whether effects that are there may be taken back while it holds. */
  undo: z.boolean().default(true),
});

/** The kill switch of one scope: while it holds nothing in that scope is changed. It does not end automatically. */
export const freezeSchema = z
  .object({
    scope: z.string(),
    /** Who set it, and why. */
    by: z.string(),
    reason: z.string(),
    at: instantSchema,
    /** Whether effects that are there may be taken back while it holds. */
    undo: z.boolean(),
  })
  .meta({ id: "Freeze" });

/** See {@link freezeSchema}. */
export type Freeze = Shape<typeof freezeSchema>;

/** The scope that was lifted, and the freezes that remain. */
export const liftedFreezeSchema = listSchema(freezeSchema).extend({ scope: z.string() });
