import type { Decision } from "../../../packages/sdk/src/wire/alerts.ts";
import type { StateView } from "../run/state-words.ts";

/** How each kind of decision is shown: the type refuses a kind without a view. */
export const decisionViews: Readonly<Record<Decision["decision"], StateView>> = {
  enqueued: { word: "Started a run", tone: "good", icon: "run" },
  joined: { word: "Joined a run", tone: "plain", icon: "link" },
  resolved: { word: "Alert ended", tone: "plain", icon: "check" },
  stale: { word: "Out of date", tone: "plain", icon: "clock" },
  unmatched: { word: "No runbook", tone: "wait", icon: "doubt" },
  refused: { word: "Refused", tone: "wait", icon: "shield" },
  paused: { word: "Frozen", tone: "wait", icon: "cold" },
  unreadable: { word: "Unreadable", tone: "bad", icon: "warning" },
};

/** The kinds of decisions that a list can be filtered by. */
export const decisionNames: readonly string[] = Object.keys(decisionViews);

/** The word of a kind, for a filter. */
export function decisionWord(kind: string): string {
  return Object.entries(decisionViews).find(([name]) => name === kind)?.[1].word ?? kind;
}

/** Kinds after which nothing runs although the alert may still fire. */
export const idleKinds: ReadonlySet<Decision["decision"]> = new Set(["unmatched", "refused", "paused", "unreadable"]);
