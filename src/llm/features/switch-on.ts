import type { Flag, FlagDefinition } from "../../../packages/sdk/src/wire/flags.ts";
import { StepFailure } from "../../core/failure.ts";
import type { Feature } from "../../core/feature.ts";
import { shortLine } from "../../core/one-line.ts";
import type { BudgetControl } from "../budgets/budget.ts";
import { definitionOf, type FlagStore } from "../flags/flag.ts";

/** Writes to something that others change at the same time, before that counts as a refusal. */
const maxTries = 5;

/** A flag of which a growing share of the tickets can get a variant. */
export interface GrowingFlag {
  readonly key: string;
  /** What every ticket gets first, and while the flag is off. */
  readonly from: string;
  readonly to: string;
}

/** Who switches on, and why. */
export interface SwitchOn {
  /** E.g. `run:01J…`. */
  readonly by: string;
  readonly reason: string;
}

/** How gates are opened. */
export interface OpenGates extends SwitchOn {
  /** Whether what this one has closed is ours to open. */
  readonly isOurs: (closedBy: string) => Promise<boolean>;
}

/**
 * The variant that tickets got before the flag was switched off: its default, or the one on trial; of a boolean flag the only one that is true. Undefined: the
 * flag does not say which.
 */
export function variantToGrow({ key, type, variants, offVariant, defaultVariant, rollout }: Flag): GrowingFlag | undefined {
  const isOn = (variant: string | undefined): variant is string => variant !== undefined && variant !== offVariant;
  const trues = type === "boolean" ? Object.keys(variants).filter((variant) => variants[variant] === true) : [];
  const to = [defaultVariant, rollout?.variant, trues.length === 1 ? trues[0] : undefined].find(isOn);
  return to === undefined ? undefined : { key, from: offVariant, to };
}

/** Switches a flag on so that every ticket still gets what it gets while the flag is off. Doing it again changes nothing. */
export async function switchOnForNobody(
  flags: Pick<FlagStore, "read" | "set">,
  { key, from }: GrowingFlag,
  { by, reason }: SwitchOn,
): Promise<void> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const flag = await flags.read(key);
    if (flag === undefined) throw refused(`There is no flag ${key}.`);
    if (flag.state === "on" && flag.defaultVariant === from) return;
    const definition: FlagDefinition = { ...definitionOf(flag), state: "on", defaultVariant: from, rollout: null };
    if ((await flags.set({ key, expected: flag.version, definition, by, reason: shortLine(reason, 300) })).kind === "set") return;
  }
  throw refused(`Flag ${key} was changed by others again and again; it stays as it is.`);
}

/** What became of the gates of a feature's budgets. */
export interface OpenedGates {
  readonly opened: readonly string[];
  /** Gates that another person or run has closed, one sentence each. */
  readonly closed: readonly string[];
}

/** Opens the gates that were closed by us. One that another person or run has closed stays closed. */
export async function openGates({ budgets: ids }: Pick<Feature, "budgets">, how: OpenGates, budgets: BudgetControl): Promise<OpenedGates> {
  const opened: string[] = [];
  const closed: string[] = [];
  for (const id of ids) {
    const sentence = await openGate(id, how, budgets);
    if (sentence === undefined) opened.push(id);
    else closed.push(sentence);
  }
  return { opened, closed };
}

/** Why the gate stays closed; undefined: it is open. */
async function openGate(id: string, { by, reason, isOurs }: OpenGates, budgets: BudgetControl): Promise<string | undefined> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const state = await budgets.read(id);
    if (state === undefined) return `There is no budget ${id}.`;
    const { gate, by: closedBy, reason: why, version } = state.controls;
    if (gate === "open") return undefined;
    if (!(await isOurs(closedBy)))
      return `Budget ${id} is paused by ${closedBy || "an unnamed person"}, and not by this incident: ${shortLine(why, 100)}`;
    const change = { gate: "open", reason: shortLine(reason, 200), by, pausedUntil: null } as const;
    if ((await budgets.compareAndSet(id, version, change)).set) return undefined;
  }
  throw refused(`The controls of budget ${id} were changed by others again and again; its gate stays closed.`);
}

function refused(message: string): StepFailure {
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}
