import type { RunSummary } from "../../../packages/sdk/src/wire/runs.ts";
import type { IconName } from "../icons.tsx";
import type { Tone } from "./entry-sentence.ts";
import type { StepState } from "./step-stories.ts";

/** How a state is shown: its color always comes with a word and a drawing. */
export interface StateView {
  readonly word: string;
  readonly tone: Tone;
  readonly icon: IconName;
}

/** How each state of a step is shown. */
export const stepViews: Readonly<Record<StepState, StateView>> = {
  to_come: { word: "to come", tone: "plain", icon: "dash" },
  running: { word: "running", tone: "busy", icon: "run" },
  waiting: { word: "waiting", tone: "busy", icon: "clock" },
  asks: { word: "waits for a person", tone: "wait", icon: "person" },
  in_doubt: { word: "in doubt", tone: "wait", icon: "doubt" },
  done: { word: "done", tone: "good", icon: "check" },
  failed: { word: "failed", tone: "bad", icon: "cross" },
  refused: { word: "refused", tone: "wait", icon: "shield" },
  frozen: { word: "frozen", tone: "wait", icon: "cold" },
  skipped: { word: "skipped", tone: "plain", icon: "skip" },
  planned: { word: "planned only", tone: "plain", icon: "clock" },
  undoing: { word: "being undone", tone: "busy", icon: "back" },
  undone: { word: "undone", tone: "plain", icon: "back" },
  kept: { word: "done and kept", tone: "good", icon: "check" },
  passed_over: { word: "passed over", tone: "plain", icon: "skip" },
  not_begun: { word: "not begun", tone: "plain", icon: "dash" },
  not_reached: { word: "not finished", tone: "plain", icon: "dash" },
};

const outcomeViews = {
  succeeded: { word: "Succeeded", tone: "good", icon: "check" },
  ineffective: { word: "Ineffective", tone: "bad", icon: "cross" },
  inconclusive: { word: "Inconclusive", tone: "wait", icon: "doubt" },
  failed: { word: "Failed", tone: "bad", icon: "cross" },
  stood_down: { word: "Stood down", tone: "plain", icon: "dash" },
  aborted: { word: "Aborted", tone: "wait", icon: "cross" },
  undone: { word: "Undone", tone: "plain", icon: "back" },
} as const satisfies Record<string, StateView>;

const runViews = {
  queued: { word: "Queued", tone: "busy", icon: "clock" },
  running: { word: "Running", tone: "busy", icon: "run" },
  suspended: { word: "Waiting", tone: "busy", icon: "clock" },
  in_doubt: { word: "In doubt", tone: "wait", icon: "doubt" },
  damaged: { word: "Record unreadable", tone: "bad", icon: "warning" },
  ended: { word: "Ended", tone: "plain", icon: "dash" },
} as const satisfies Record<string, StateView>;

/** How a run is shown. `asks`: it waits for a person. */
export function runView({ state, outcome }: Pick<RunSummary, "state" | "outcome">, asks = false): StateView {
  if (asks) return { word: "Waits for a person", tone: "wait", icon: "person" };
  return outcome === undefined ? runViews[state] : outcomeViews[outcome];
}

/** The states of runs that a list can be filtered by. */
export const stateNames: readonly string[] = Object.keys(runViews);

/** The outcomes of runs that a list can be filtered by. */
export const outcomeNames: readonly string[] = Object.keys(outcomeViews);
