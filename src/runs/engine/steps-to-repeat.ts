import type { Runbook, Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { ActionCatalogue } from "../../core/action.ts";

/**
 * The steps that an open run does again when another alert joins it: those before the first one that raises, asks for permission, is done by a person or cannot
 * be done twice without harm. None unless the document says `on_joined: repeat`.
 */
export function stepsToRepeat(
  { onJoined, steps }: Pick<Runbook, "onJoined" | "steps">,
  actions: Pick<ActionCatalogue, "find">,
): readonly string[] {
  if (onJoined !== "repeat") return [];
  const first = steps.findIndex((step) => !isRepeated(step, actions));
  return steps.slice(0, first < 0 ? steps.length : first).map(({ id }) => id);
}

function isRepeated({ action, approval }: Step, actions: Pick<ActionCatalogue, "find">): boolean {
  const spec = action === undefined ? undefined : actions.find(action.name);
  if (action === undefined || spec === undefined || approval !== undefined) return false;
  const effect = spec.effectOf(action.parameters);
  if (effect === "read") return true;
  const risk = spec.riskOf?.(action.parameters) ?? spec.risk;
  return risk !== "raises" && (effect === "set" || effect === "keyed");
}
