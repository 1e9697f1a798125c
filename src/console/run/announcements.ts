import type { JournalEntry } from "../../../packages/sdk/src/wire/journal.ts";
import { reasonWords, visibleText } from "../page-format.ts";

/** A step as it is named to a person who hears the page. */
export type StepName = (id: string) => string;

/** What a person who hears the page is told of new entries: at most one sentence each, and none for what only a reader needs. */
export function announcementOf(entry: JournalEntry, nameOf: StepName): string | undefined {
  switch (entry.kind) {
    case "completed":
      return `${nameOf(entry.step)} is done.`;
    case "failed":
    case "undo_failed":
      return `${nameOf(entry.step)} failed.`;
    case "skipped":
      return `${nameOf(entry.step)} is skipped.`;
    case "refused":
      return entry.guardrail === "mode" ? undefined : `${nameOf(entry.step)} is refused.`;
    case "frozen":
      return `${nameOf(entry.step)} is held back by a freeze.`;
    case "asked":
      return `${nameOf(entry.question.stepId)} asks: ${visibleText(entry.question.text, 200)}`;
    case "answered":
      return `${visibleText(entry.answer.by, 60)} answered ${visibleText(entry.answer.answer, 40)}.`;
    case "stop_requested":
      return `${visibleText(entry.by, 60)} asked for a stop.`;
    case "undo_started":
      return "The run is being undone.";
    case "finished":
      return `The run has ended: ${reasonWords(entry.outcome)}.`;
    case "accepted":
    case "applied":
    case "checked":
    case "claimed":
    case "concluded":
    case "escalated":
    case "intent":
    case "joined":
    case "jumped":
    case "preflight":
    case "progressed":
    case "resolved":
    case "retried":
    case "sampled":
    case "suspended":
    case "undo_intent":
    case "undone":
      return undefined;
  }
}

/** The sentences of the entries behind the first `heard` ones. */
export function announcements(journal: readonly JournalEntry[], heard: number, nameOf: StepName): readonly string[] {
  return journal.slice(heard).flatMap((entry) => announcementOf(entry, nameOf) ?? []);
}
