import type { JournalEntry } from "../packages/sdk/src/wire/journal.ts";
import type { Instant } from "../src/core/clock.ts";
import type { DemoView } from "./demo-view.ts";
import { stepsOf } from "./journal-checks.ts";
import type { ScenarioContext } from "./scenario.ts";

/** What one look came to: what to show, and whether there is anything left to wait for. */
export interface ProgressSnapshot {
  readonly view: Omit<DemoView, "now" | "beganAt" | "factor" | "seed">;
  readonly over: boolean;
}

/** How long to look, and which programs may be gone without that being a fault. */
export interface Watching {
  readonly withinMs: number;
  readonly mayBeGone?: (name: string) => boolean;
}

/** Looks ten times a second and shows what was seen until it is over, time is over or a program is gone. Rejects when the stage's signal is aborted. */
export async function watchProgress(
  context: ScenarioContext,
  watching: Watching,
  readProgress: (now: Instant, beganAt: Instant) => ProgressSnapshot,
): Promise<void> {
  const { options, clock, presenter, signal, services } = context;
  const { factor, seed } = options;
  const beganAt = clock.now();
  for (;;) {
    signal.throwIfAborted();
    const now = clock.now();
    const { view, over } = readProgress(now, beganAt);
    presenter.show({ ...view, now, beganAt, factor, seed });
    if (over) return;
    const dead = services.group.all.find((one) => !one.isAlive() && watching.mayBeGone?.(one.name) !== true);
    if (dead !== undefined) {
      presenter.say(`${dead.name} ${await dead.gone}; its log: ${dead.logFile}`);
      return;
    }
    if (now - beganAt > watching.withinMs) {
      presenter.say(`Time is over: ${Math.round(watching.withinMs / 1000)} s.`);
      return;
    }
    await clock.sleep(100, signal);
  }
}

/** How far a run is, step by step under the names of its document. */
export function stepsShown(
  journal: readonly JournalEntry[] | undefined,
  names: ReadonlyMap<string, string>,
): Pick<DemoView, "steps" | "stepsToCome"> {
  if (journal === undefined) return { steps: [], stepsToCome: [] };
  const steps = stepsOf(journal).map((step) => ({
    ...step,
    name: names.get(step.step) ?? step.step.replace(/^post_action_/, "Post-Action "),
  }));
  const startedSteps = new Set(steps.map(({ step }) => step));
  return { steps, stepsToCome: [...names].filter(([step]) => !startedSteps.has(step)).map(([, name]) => name) };
}
