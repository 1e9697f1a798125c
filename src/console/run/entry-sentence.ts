import type { JournalEntry } from "../../../packages/sdk/src/wire/journal.ts";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import { fieldValue, reasonWords, timeOfDay, visibleText, words } from "../page-format.ts";

/** How an entry is to be taken. */
export type Tone = "plain" | "good" | "busy" | "wait" | "bad";

/** What one entry of a journal says. */
export interface Sentence {
  readonly text: string;
  readonly tone: Tone;
}

/** Characters of a sentence; a log is for reading, and the JSON of the run has everything. */
const maxSentence = 600;

/** One sentence for each kind of entry. Text of others in it has no hidden characters and a limited length. */
export function entrySentence(entry: JournalEntry): Sentence {
  const { text, tone } = sentenceOf(entry);
  return { text: visibleText(text, maxSentence), tone };
}

const plain = (text: string): Sentence => ({ text, tone: "plain" });
const good = (text: string): Sentence => ({ text, tone: "good" });
const busy = (text: string): Sentence => ({ text, tone: "busy" });
const wait = (text: string): Sentence => ({ text, tone: "wait" });
const bad = (text: string): Sentence => ({ text, tone: "bad" });

function sentenceOf(entry: JournalEntry): Sentence {
  switch (entry.kind) {
    case "accepted":
      return plain(acceptedText(entry));
    case "claimed":
      return plain(`${workerName(entry.worker)} works on the run.`);
    case "sampled":
      return plain(`Measured: ${sampleText(entry.values)}.`);
    case "intent":
      return busy(`${entry.attempt > 1 ? `Attempt ${entry.attempt}: ` : ""}${ended(entry.plan.summary)}`);
    case "applied":
      return good(appliedText(entry));
    case "progressed":
      return busy(`${ended(progressText(entry.progress))} It continues at ${timeOfDay(entry.until)} UTC.`);
    case "failed":
      return bad(
        `Attempt ${entry.attempt} failed (${reasonWords(entry.failure.reason)}): ${ended(entry.failure.message)}${doubt(entry.failure.applied)}`,
      );
    case "completed":
      return good("The step is done.");
    case "skipped":
      return plain(`Skipped: ${ended(entry.why)}`);
    case "checked":
      return checkedSentence(entry);
    case "suspended":
      // A wait without an end is stored as null.
      return wait(`Waits${Number.isFinite(entry.until) ? ` until ${timeOfDay(entry.until)} UTC` : ""}: ${ended(entry.why)}`);
    case "asked":
      return wait(`Asked a person: ${entry.question.text}`);
    case "escalated":
      return wait("Half of the time to answer is over. The question was sent to more people.");
    case "answered":
      return plain(
        `${entry.answer.by} answered "${entry.answer.answer}"${entry.answer.reason === "" ? "." : `: ${ended(entry.answer.reason)}`}`,
      );
    case "retried":
      return plain(`Starts again: ${ended(entry.why)}`);
    case "jumped":
      return plain(`Continues at the step "${words(entry.to)}" after "${words(entry.from)}".`);
    case "refused":
      return refusedSentence(entry);
    case "frozen":
      return wait(`Held back by the freeze of ${entry.scope}, set by ${entry.by}: ${ended(entry.reason)}`);
    case "preflight":
      return entry.standing === "firing"
        ? plain(`The alert still fires: ${ended(entry.detail)}`)
        : wait(`${standings[entry.standing]} ${ended(entry.detail)}`);
    case "resolved":
      return good(`The alert is resolved: ${ended(entry.why)}`);
    case "joined":
      return plain(`${ended(entry.why)}${entry.repeats.length === 0 ? "" : ` These steps are done again: ${entry.repeats.join(", ")}.`}`);
    case "stop_requested":
      return bad(`${entry.by} asked for a stop: ${ended(entry.reason)}`);
    case "undo_started":
      return wait(`The run is undone: ${ended(entry.why)}`);
    case "undo_intent":
      return busy(`Undoes the step${entry.attempt > 1 ? `, attempt ${entry.attempt}` : ""}.`);
    case "undone":
      return undoneSentence(entry);
    case "undo_failed":
      return bad(`It could not be undone (${reasonWords(entry.failure.reason)}): ${ended(entry.failure.message)}`);
    case "concluded":
      return outcomeSentence("Decided", entry);
    case "finished":
      return outcomeSentence("Ended", entry);
  }
}

/** Runs of earlier versions name the worker's claim, which says nothing to people. */
export const claimPattern = /^\d+:[\da-f-]{36}$/u;

/** A worker as it is named at the beginning of a sentence. */
export function workerName(worker: string): string {
  return claimPattern.test(worker) ? "A worker" : `Worker ${worker}`;
}

type Entry<Kind extends JournalEntry["kind"]> = Extract<JournalEntry, { readonly kind: Kind }>;

const standings = {
  gone: "The alert no longer fires.",
  silenced: "The alert is silenced.",
  unknown: "No Alertmanager says how the alert is.",
} as const;

const sources = { webhook: "from a notification", poll: "from a poll of Alertmanager", manual: "by hand", rerun: "as a repeat" } as const;

function acceptedText({ request: { source, alert, requester } }: Entry<"accepted">): string {
  const cause = alert === undefined ? "Started" : `${alert.labels["alertname"] ?? "An alert"} fires, accepted`;
  return `${cause} ${sources[source]}${requester === undefined ? "" : `, for ${requester}`}.`;
}

function sampleText(values: { readonly [name: string]: number | null }): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value === null ? "unknown" : fieldValue(name, value)}`)
    .join(", ");
}

function appliedText({ output, found: source }: Entry<"applied">): string {
  const prefix =
    source === undefined ? "Done" : source === "probe" ? "It was already done, as the target says" : "It happened, as a person says";
  const sentence = output["sentence"];
  return typeof sentence === "string" ? `${prefix}: ${ended(sentence)}` : `${prefix}.`;
}

function checkedSentence({ subject, truth, detail }: Entry<"checked">): Sentence {
  const name =
    subject.kind === "expected"
      ? "The expectation"
      : subject.kind === "prerequisite"
        ? `Prerequisite ${subject.index + 1}`
        : `Verification ${subject.index + 1}`;
  if (truth === "true") return good(`${name} holds: ${ended(detail)}`);
  return truth === "false" ? bad(`${name} does not hold: ${ended(detail)}`) : wait(`${name} cannot be judged: ${ended(detail)}`);
}

function refusedSentence({ guardrail, reason, retryAt, plan }: Entry<"refused">): Sentence {
  if (guardrail === "mode") return plain(`Planned only: ${ended(plan?.summary ?? reason)}`);
  const later = retryAt === undefined ? "" : ` It is tried again at ${timeOfDay(retryAt)} UTC.`;
  return wait(`Refused by the guardrail ${guardrail}: ${ended(reason)}${later}`);
}

function undoneSentence({ note: why, kept }: Entry<"undone">): Sentence {
  if (kept !== undefined) return plain(`Kept, because it lowers risk or spend${why === undefined ? "." : `: ${ended(why)}`}`);
  return why === undefined ? good("Undone.") : plain(`Not undone: ${ended(why)}`);
}

function outcomeSentence(verb: string, { outcome, reason }: Entry<"concluded" | "finished">): Sentence {
  const text = `${verb}: ${reasonWords(outcome)}. ${ended(reason)}`;
  if (outcome === "succeeded") return good(text);
  return outcome === "failed" || outcome === "ineffective" ? bad(text) : wait(text);
}

/** The headline of a progress, or the time that it took so far. */
export function progressText(progress: Json): string {
  if (progress !== null && typeof progress === "object" && !Array.isArray(progress) && "headline" in progress) {
    return capital(fieldValue("headline", progress["headline"] ?? null));
  }
  return "The step is not finished";
}

function doubt(applied: "no" | "unknown"): string {
  return applied === "unknown" ? " The target may have changed." : "";
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** With a full stop at its end. */
function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
