import { ensureFailure, StepFailure } from "../../core/failure.ts";
import type { Feature, FlagReference } from "../../core/feature.ts";
import { shortLine } from "../../core/one-line.ts";
import type { BudgetControl } from "../budgets/budget.ts";
import type { FeaturePorts } from "./feature-ports.ts";

/** A containment as it was planned. */
export interface SwitchOff {
  readonly feature: Feature;
  /** Tickets that began before it stop at their next turn. Pinned, so that repeating it stops no later ones. */
  readonly stopBefore: number;
  /** Who asks, e.g. `run:01J…`. */
  readonly by: string;
  readonly reason: string;
}

/** Writes to a budget that others change at the same time, before it counts as overloaded. */
const maxTries = 5;

/**
 * Switches off every flag of the feature, closes the gate of each of its budgets and stops their tickets at their next turn, where their work is saved.
 * Doing it again changes nothing that is done. One part that fails does not keep the others from being done.
 * @throws StepFailure that names each part which failed.
 */
export async function switchOff(
  { feature, ...how }: SwitchOff,
  { flagSwitches, budgets }: Pick<FeaturePorts, "flagSwitches" | "budgets">,
): Promise<void> {
  const parts = [
    ...feature.flags.map((flag) => ({ what: `flag ${nameOfFlag(flag)}`, act: async () => switchFlagOff(flag, how, flagSwitches) })),
    ...feature.budgets.map((id) => ({ what: `budget ${id}`, act: async () => closeGate(id, how, budgets) })),
  ];
  const failures: { readonly what: string; readonly failure: StepFailure["failure"] }[] = [];
  for (const { what, act } of parts) {
    try {
      await act();
    } catch (error) {
      failures.push({ what, failure: ensureFailure(error) });
    }
  }
  const [first] = failures;
  if (first === undefined) return;
  const done = parts.length - failures.length;
  const text = failures.map(({ what, failure }) => `${what}: ${failure.message}`).join(" ");
  throw new StepFailure({
    // A refusal is not worth a retry alone, so that a reason which may pass decides.
    reason: (failures.find(({ failure }) => failure.reason !== "invalid_parameters") ?? first).failure.reason,
    message: shortLine(`${done} of ${parts.length} parts of ${feature.name} are off. ${text}`, 500),
    applied: done > 0 || failures.some(({ failure }) => failure.applied === "unknown") ? "unknown" : "no",
  });
}

/** A flag as people read it. */
export function nameOfFlag({ system, key }: FlagReference): string {
  return system === "runbookd" ? key : `${system}/${key}`;
}

async function switchFlagOff(
  flag: FlagReference,
  { by, reason }: Pick<SwitchOff, "by" | "reason">,
  switches: FeaturePorts["flagSwitches"],
): Promise<void> {
  const result = await switches[flag.system].setState({ key: flag.key, state: "off", by, reason: shortLine(reason, 300) });
  if (result.kind === "unknown") throw refused(`${flag.system} has no such flag.`);
  if (result.kind === "refused") throw refused(result.reason);
}

async function closeGate(
  id: string,
  { stopBefore, by, reason }: Pick<SwitchOff, "stopBefore" | "by" | "reason">,
  budgets: BudgetControl,
): Promise<void> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const state = await budgets.read(id);
    if (state === undefined) throw refused("there is no such budget.");
    const { gate, pausedUntil, stopBefore: stopped = 0, version } = state.controls;
    // A pause that ends automatically would open the gate again.
    const isClosed = gate === "paused" && pausedUntil === undefined;
    // Nothing begins behind a closed gate, so that an earlier stop holds for all that run.
    if (isClosed && (stopped >= stopBefore || (await budgets.running(id)).every(({ since }) => since < stopped))) return;
    const result = await budgets.compareAndSet(id, version, {
      ...(!isClosed && { gate: "paused", reason: shortLine(reason, 200), by, pausedUntil: null }),
      stopBefore: Math.max(stopped, stopBefore),
    });
    if (result.set) return;
  }
  throw new StepFailure({
    reason: "overloaded",
    message: `its controls changed ${maxTries} times while its gate was being closed.`,
    applied: "no",
  });
}

function refused(message: string): StepFailure {
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}
