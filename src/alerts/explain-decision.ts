import type { Decision } from "../../packages/sdk/src/wire/alerts.ts";
import { oneLine } from "../core/one-line.ts";

/** Sentences about a decision, without markup. `remedy` is absent when nothing needs to change. */
export interface DecisionExplanation {
  readonly why: string;
  readonly remedy?: string;
}

/** A decision and the name of its alert, as far as it is recorded. */
export type DecisionToExplain = Decision & { readonly alertName?: string };

type Explain = (decision: DecisionToExplain) => DecisionExplanation;

/** Says why an alert started a run or none, and what would change that. */
export function explainDecision(decision: DecisionToExplain): DecisionExplanation {
  return explanations[decision.decision](decision);
}

/** One explanation for each kind: the type refuses a kind without one. */
const explanations: Readonly<Record<Decision["decision"], Explain>> = {
  enqueued: (decision) => ({ why: `Run ${runOf(decision)} of ${runbookOf(decision)} began.${clockFaultOf(decision)}` }),
  joined: (decision) => ({
    why: `Run ${runOf(decision)} of ${runbookOf(decision)} already deals with this alert or with its target, so no second run began.`,
    remedy: `A new run begins when the alert fires again after run ${runOf(decision)} has ended.`,
  }),
  resolved: (decision) => ({
    why:
      decision.runId === undefined
        ? "The alert has ended, and no run was open for it."
        : `The alert has ended, and run ${runOf(decision)} was informed.`,
  }),
  stale: (decision) => ({
    why: `The notification is older than what is recorded of this alert. ${sentence(decision.reason, "A later one has arrived before it.")}`,
    remedy: "The next notification with a later start is decided anew. If this repeats, compare the clocks of Prometheus and Alertmanager.",
  }),
  unmatched: ({ alertName }) => ({
    why: "No runbook has a trigger that matches the labels of this alert.",
    remedy:
      alertName === undefined
        ? "Add a trigger that matches its labels to a runbook, or write one with `runbookd new`."
        : `Add a trigger for ${oneLine(alertName)} to a runbook, or write one with \`runbookd new\`; \`runbookd lint\` shows which alerts start what.`,
  }),
  refused: (decision) => refusals[decision.guardrail ?? ""]?.(decision) ?? refusedOtherwise(decision),
  paused: (decision) => ({
    why: `New runs are held back. ${sentence(decision.reason, "A freeze covers this runbook or its target.")}`,
    remedy: "Lift the freeze with `runbookd unfreeze`; a run begins at the next notification if the alert still fires.",
  }),
  unreadable: (decision) => ({
    why: `The alert cannot be read. ${sentence(decision.reason, "A field has an unexpected form.")}`,
    remedy: "Correct what sends it. The other alerts of its message were decided.",
  }),
};

/** The guardrails that bind the start of a run, and the alert that lacks what its runbook reads. */
const refusals: Readonly<Record<string, Explain>> = {
  cooldown: (decision) => ({
    why: `${capital(runbookOf(decision))} has dealt with this target recently, and its cooldown lasts${untilOf(decision)}.`,
    remedy: `A run begins at the first notification after that if the alert still fires. \`cooldown\` in ${runbookOf(decision)} sets the time, which doubles with each episode of a day.`,
  }),
  "run-rate": (decision) => ({
    why: `As many runs of ${runbookOf(decision)}, or of all runbooks, began within an hour as the limits permit.`,
    remedy: `A run begins at the first notification${decision.retryAt === undefined ? " after the hour" : ` after ${timeOf(decision.retryAt)}`} if the alert still fires. \`runs_per_hour\` and \`runs_per_hour_runbook\` of the guardrails set the limits.`,
  }),
  "": (decision) => ({
    why: `The alert lacks something that ${runbookOf(decision)} reads. ${sentence(decision.reason, "A parameter or the target cannot be made of it.")}`,
    remedy: "Add the label to the alert's rule, or give the parameter a default in the runbook.",
  }),
};

function refusedOtherwise(decision: DecisionToExplain): DecisionExplanation {
  return {
    why: `The guardrail ${oneLine(decision.guardrail ?? "")} refused the run. ${sentence(decision.reason, "Its limits do not permit it.")}`,
    remedy:
      decision.retryAt === undefined
        ? "Start the runbook by hand with `runbookd run` if it must run now; docs/guardrails.md says what each guardrail permits."
        : `A run begins at the first notification after ${timeOf(decision.retryAt)} if the alert still fires.`,
  };
}

function runOf({ runId }: DecisionToExplain): string {
  return oneLine(runId ?? "without an id");
}

function runbookOf({ runbook }: DecisionToExplain): string {
  return runbook === undefined ? "a runbook" : `runbook ${oneLine(runbook)}`;
}

function untilOf({ retryAt }: DecisionToExplain): string {
  return retryAt === undefined ? " for a while" : ` until ${timeOf(retryAt)}`;
}

function clockFaultOf({ reason }: DecisionToExplain): string {
  return reason === undefined ? "" : ` ${sentence(reason, "")}`;
}

/** `2026-11-23 06:30:00 UTC`. */
function timeOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function sentence(text: string | undefined, otherwise: string): string {
  const line = withoutPeriod(oneLine(text ?? ""));
  return line === "" ? otherwise : `${withField(line) ?? capital(line)}.`;
}

/** A sentence that begins with the name of a field keeps the name as it is spelled. */
function withField(line: string): string | undefined {
  const [, field, message] = /^([a-z]\w{0,60})(: .*)$/su.exec(line) ?? [];
  return field === undefined || message === undefined ? undefined : `\`${field}\`${message}`;
}

function withoutPeriod(text: string): string {
  return text.replace(/\.$/u, "");
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
