import { z } from "zod";
import type { ActionContext } from "../../core/action.ts";
import type { Feature } from "../../core/feature.ts";
import type { Journal } from "../../core/journal.ts";
import type { FlagStore } from "../flags/flag.ts";
import { nameOfFlag } from "./switch-off.ts";
import { variantToGrow } from "./switch-on.ts";

/** `on`: it was never switched off. `grow`: a share of its flag grows. `by_person`: a person switches it on, and `why` says why. */
export const returnPlanSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("on"), feature: z.string(), flag: z.string() }),
  z.object({ kind: z.literal("grow"), feature: z.string(), flag: z.object({ key: z.string(), from: z.string(), to: z.string() }) }),
  z.object({ kind: z.literal("by_person"), feature: z.string(), why: z.string() }),
]);

/** How a feature comes back. */
export type ReturnPlan = z.output<typeof returnPlanSchema>;

/** How this feature comes back, from what its flag is now. */
export async function planReturn({ name: feature, flags: references }: Feature, flags: Pick<FlagStore, "read">): Promise<ReturnPlan> {
  const byPerson = (why: string): ReturnPlan => ({ kind: "by_person", feature, why });
  const [reference, ...others] = references;
  if (reference === undefined) return byPerson("It has no flag, so that no share of its tickets can be chosen.");
  if (others.length > 0) return byPerson(`It has ${references.length} flags, which would not reach the same tickets at the same time.`);
  const { system, key } = reference;
  if (system !== "runbookd")
    return byPerson(`Its flag ${nameOfFlag(reference)} is kept in ${system}, whose shares runbookd does not change.`);
  const flag = await flags.read(key);
  // What was never switched off is not taken from any ticket.
  if (flag?.state === "on" && flag.defaultVariant !== flag.offVariant && flag.rollout === null) return { kind: "on", feature, flag: key };
  const growing = flag && variantToGrow(flag);
  if (growing === undefined) return byPerson(`Its flag ${key} does not say which variant tickets had before.`);
  return { kind: "grow", feature, flag: growing };
}

/**
 * Whether what `by` has closed is of this incident: by this run, or by an earlier one of the same runbook and target that ended before it brought the feature
 * back.
 */
export async function isOfIncident(
  by: string,
  { runId, runbookId, target }: Pick<ActionContext, "runId" | "runbookId" | "target">,
  readJournal: (runId: string) => Promise<Journal | undefined>,
): Promise<boolean> {
  if (by === `run:${runId}`) return true;
  const [first] = (by.startsWith("run:") ? await readJournal(by.slice("run:".length)) : undefined) ?? [];
  return first?.kind === "accepted" && target !== undefined && first.request.runbookId === runbookId && first.request.target === target;
}
