import type { AdmissionReason } from "../../../packages/sdk/src/wire/admissions.ts";
import type { Ticket } from "../../../packages/sdk/src/wire/tickets.ts";
import type { Checkpoint, ListedCheckpoint } from "./checkpoint.ts";
import { classOfReason, type FailureClass } from "./failure-class.ts";
import { pointerTo, type StagedWork } from "./staged-work.ts";
import { lostReason, recoveryReason } from "./ticket.ts";

/** All that the failure of a ticket is named from. */
export interface FailureFacts {
  readonly ticket: Pick<Ticket, "state" | "reason" | "failures">;
  /** Files of its workspace that are in conflict. */
  readonly conflicts: readonly string[];
  /** It told a stage and shows no sign of life. */
  readonly standing: boolean;
}

/** Why a ticket failed, and what says so. */
export interface NamedFailure {
  readonly failureClass: FailureClass;
  /** One sentence. */
  readonly evidence: string;
}

/** The gate's words for limits of the budget or the batch. */
const limits = new Set<string>([
  "ticket_cap",
  "minute_cap",
  "budget_exhausted",
  "budget_paused",
  "stop_requested",
  "batch_exhausted",
  "batch_paused",
  "batch_failures",
  "batch_deadline",
] satisfies readonly AdmissionReason[]);

/** What providers and tools say, in the order in which one sentence may match several. */
const sentences: readonly (readonly [FailureClass, RegExp])[] = [
  ["provider_spend_limit", /spend[ _-]?limit|credit balance|insufficient_quota|billing/i],
  ["provider_rate_limit", /\b429\b|rate[ _-]?limit|too many requests/i],
  ["provider_overload", /\b529\b|\b503\b|overloaded/i],
  ["context_overflow", /context[ _-]?(?:length|window|overflow)|prompt is too long|maximum context|too many tokens/i],
  ["refusal", /\brefus(?:al|ed to)|content policy|declined to/i],
  ["git_conflict", /merge conflict|CONFLICT \(|could not apply|not possible to fast-forward/i],
  ["test_failure", /tests? fail|failing tests?|assertion/i],
  ["provider_error", /\b5\d\d\b|api_error|provider/i],
  ["tool_error", /ENOENT|EACCES|command not found|exit(?:ed)? (?:code|status|with)|timed? ?out|git [a-z-]+ in /i],
];

/**
 * Names why a ticket failed by ordered rules: what somebody decided comes before what was seen, what was seen before what was said, and what was said
 * before what is missing.
 */
export function nameFailure({ ticket, conflicts, standing }: FailureFacts): NamedFailure {
  const { state, failures } = ticket;
  const reason = ticket.reason === recoveryReason ? "" : ticket.reason;
  const last = failures.findLast((word) => !word.startsWith("recovered/"));
  const recordedClass = ticket.reason === recoveryReason ? classOfReason(last ?? "") : undefined;
  const named = (failureClass: FailureClass, evidence: string): NamedFailure => ({ failureClass, evidence });
  if (state === "cancelled" || reason.endsWith("cancelled")) return named("cancelled", `It was cancelled: ${reason}.`);
  if (limits.has(reason)) return named("budget_cut", `The gate stopped it: ${reason}.`);
  if (conflicts.length > 0) return named("git_conflict", `In conflict in its workspace: ${conflicts.slice(0, 5).join(", ")}.`);
  // A recovery that has the ticket in hand wrote the class down before.
  if (recordedClass !== undefined) return named(recordedClass, "So its recovery found it.");
  const statedClass = classOfReason(reason);
  if (statedClass !== undefined && reason !== lostReason) return named(statedClass, `Its last try ended with: ${reason}.`);
  if (reason !== lostReason && reason !== "attempts_exhausted") {
    const match = reason === "" ? undefined : sentences.find(([, pattern]) => pattern.test(reason));
    if (match !== undefined) return named(match[0], `Its last try ended with: ${reason}.`);
  }
  const exhausted = reason === "attempts_exhausted" ? classOfReason(last ?? "") : undefined;
  if (exhausted !== undefined) return named(exhausted, "It used up its tries, and the last one ended so.");
  if (reason === lostReason) return named("worker_lost", "Its worker vanished in the middle of a stage.");
  if (standing) return named("worker_lost", "It shows no sign of life, and nobody gave it back.");
  return named("unknown", reason === "" ? "Nothing tells why." : `Its last try ended with: ${reason}.`);
}

/** What is to become of a ticket; every answer but `quarantine` and `hold` lets it go on. */
export type RecoveryDecision =
  /** From the newest whole checkpoint, work that nobody had finished included. */
  | { readonly kind: "resume"; readonly from: Checkpoint; readonly why: string }
  /** From the newest one whose tests passed; the stages after it are done again. */
  | { readonly kind: "roll_back"; readonly from: Checkpoint; readonly why: string }
  | { readonly kind: "restart"; readonly why: string }
  | { readonly kind: "quarantine"; readonly why: string }
  /** Something else has to happen first: its budget's incident, or a person's decision. It stays dead. */
  | { readonly kind: "hold"; readonly why: string };

/** All that a decision looks at. */
export interface RecoveryFacts {
  readonly failure: NamedFailure;
  readonly ticket: Pick<Ticket, "failures">;
  readonly checkpoints: readonly ListedCheckpoint[];
}

/** Decides how a ticket goes on. Pure. */
export function decideRecovery({ failure: { failureClass }, ticket, checkpoints }: RecoveryFacts): RecoveryDecision {
  const whole = checkpoints.flatMap((one) => (one.kind === "whole" ? [one.checkpoint] : []));
  const broken = checkpoints.length - whole.length;
  const passed = broken === 0 ? "" : ` ${broken} broken ones are passed over and kept.`;
  if (failureClass === "cancelled") return { kind: "hold", why: "Somebody cancelled it." };
  if (failureClass === "budget_cut" || failureClass === "provider_spend_limit")
    return { kind: "hold", why: "There is no money for it; that is for the budget's owner." };
  if (failureClass === "refusal") return { kind: "quarantine", why: "The model declines it; another try would be declined too." };
  if (ticket.failures.includes(recoveredWord(failureClass)))
    return { kind: "quarantine", why: `It was recovered from ${failureClass} before, and the same came again.` };
  if (failureClass === "test_failure" || failureClass === "git_conflict") {
    const green = whole.findLast((checkpoint) => checkpoint.green) ?? whole.findLast((checkpoint) => checkpoint.stage === "plan");
    if (green !== undefined)
      return { kind: "roll_back", from: green, why: `Checkpoint ${green.n} (${green.stage}) is the last good one.${passed}` };
    return { kind: "restart", why: `No good checkpoint is whole.${passed}` };
  }
  const last = whole.at(-1);
  if (last === undefined) return { kind: "restart", why: `No checkpoint is whole.${passed}` };
  return { kind: "resume", from: last, why: `Checkpoint ${last.n} (${last.stage}) is whole and the cause passes.${passed}` };
}

/** What a recovery leaves among a ticket's failures. */
export function recoveredWord(failureClass: FailureClass): string {
  return `recovered/${failureClass}`;
}

/** What the ticket goes on with after a decision that lets it go on. Stages done before the point stay done. Pure. */
export function workAfter(
  decision: RecoveryDecision & { readonly kind: "resume" | "roll_back" | "restart" },
  work: StagedWork,
  failureClass: FailureClass,
): StagedWork {
  const mended = {
    ...work,
    fresh: failureClass === "tool_error" || decision.kind === "restart",
    compact: failureClass === "context_overflow",
  };
  const { resume: _resume, ...withoutResume } = mended;
  if (decision.kind === "restart") return { ...withoutResume, done: [] };
  const { n } = decision.from;
  return { ...withoutResume, resume: pointerTo(decision.from), done: work.done.filter((one) => one.n <= n) };
}
