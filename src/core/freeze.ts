import { z } from "zod";
import type { Instant } from "./clock.ts";

/** Part of what a freeze may cover, in front of a colon and a name; the scope `all` has none. */
const scopePattern = /^(?:all|runbook:[a-z0-9][a-z0-9-]{0,99}|action:[a-z0-9][a-z0-9-]{0,99}|target:[^\s\p{Cc}]{1,300})$/u;

/** What scopes look like, for a message. */
export const scopeGrammar = "all, runbook:<id>, action:<name> or target:<id>";

/** Whether a text names a scope: `all`, `runbook:<id>`, `action:<name>` or `target:<id>`. */
export function isFreezeScope(text: string): boolean {
  return scopePattern.test(text);
}

const freezeSchema = z.object({
  scope: z.string(),
  by: z.string(),
  reason: z.string(),
  at: z.number(),
  undo: z.boolean(),
});

/** The kill switch of one scope: while it stands nothing in that scope is changed. It never ends by itself. */
export interface Freeze {
  readonly scope: string;
  /** Who set it, and why. */
  readonly by: string;
  readonly reason: string;
  readonly at: Instant;
  /** Whether effects that are there may be taken back meanwhile. */
  readonly undo: boolean;
}

/** What wants to happen, as scopes that a freeze could cover; `undo` passes a freeze that permits it. */
export interface FreezeQuery {
  readonly scopes: readonly string[];
  readonly undo: boolean;
}

/** Every scope that covers this; the widest first. */
export function freezeScopesOf(what: {
  readonly runbookId: string;
  readonly action?: string;
  readonly targets: readonly string[];
}): readonly string[] {
  const scopes = ["all", `runbook:${what.runbookId}`];
  if (what.action !== undefined) scopes.push(`action:${what.action}`);
  return [...scopes, ...new Set(what.targets.map((target) => `target:${target}`))];
}

/** Whether a freeze holds this back. */
export function isHeldBack(query: FreezeQuery, freeze: Freeze): boolean {
  return query.scopes.includes(freeze.scope) && !(query.undo && freeze.undo);
}

/** A freeze as it was stored. Throws when the text is none: then what is frozen is not known. */
export function parseFreeze(text: string): Freeze {
  return freezeSchema.parse(JSON.parse(text));
}

/** One sentence for people. */
export function describeFreeze(freeze: Pick<Freeze, "scope" | "by" | "reason">): string {
  return `Frozen (${freeze.scope}) by ${freeze.by}: ${freeze.reason}`;
}
