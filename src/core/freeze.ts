import { type Freeze, freezeSchema } from "../../packages/sdk/src/wire/freezes.ts";
import { canonicalTarget } from "./canonical-target.ts";

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
  // As it is written, too: a freeze of an earlier version is stored so.
  return [...new Set([...scopes, ...what.targets.flatMap((target) => [`target:${target}`, canonicalScope(`target:${target}`)])])];
}

/** A scope with its target in canonical form: a freeze covers every spelling of its target. */
export function canonicalScope(scope: string): string {
  return scope.startsWith("target:") ? `target:${canonicalTarget(scope.slice("target:".length))}` : scope;
}

/** Whether a freeze holds this back. */
export function isFrozenBy(query: FreezeQuery, freeze: Freeze): boolean {
  return (query.scopes.includes(freeze.scope) || query.scopes.includes(canonicalScope(freeze.scope))) && !(query.undo && freeze.undo);
}

/** A freeze as it was stored. Throws when the text is none: then what is frozen is not known. */
export function parseFreeze(text: string): Freeze {
  return freezeSchema.parse(JSON.parse(text));
}

/** One sentence for people. */
export function describeFreeze(freeze: Pick<Freeze, "scope" | "by" | "reason">): string {
  return `Frozen (${freeze.scope}) by ${freeze.by}: ${freeze.reason}`;
}
