import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { CheckItem, Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import { cleanText } from "../core/clean-text.ts";
import type { Journal } from "../core/journal.ts";
import { shortLine } from "../core/one-line.ts";
import { runPageAddress } from "../core/page-address.ts";
import { resolvePromql } from "../runbooks/expressions/expression.ts";
import { describeMoney } from "./money-windows.ts";
import type { CheckStory, MetricStory, Review, ReviewInput, StepStory } from "./review.ts";
import { effectsOf, takeoversOf } from "./run-effects.ts";
import { describeStep } from "./step-story.ts";
import { moment, span } from "./wording.ts";

/** Fills the runbook's own headings with what the journal proves. */
export function buildReview({ summary, journal, runbook, money, publicUrl }: ReviewInput): Review {
  const accepted = acceptedOf(journal);
  const end = journal.findLast((entry) => entry.kind === "finished" || entry.kind === "concluded");
  const concluded = end?.kind === "finished" || end?.kind === "concluded" ? end : undefined;
  const outcome = concluded?.outcome ?? summary.outcome;
  const steps = storiesOf(runbook, journal);
  const post = postOf(runbook, journal);
  const checks = {
    prerequisites: checksOf("prerequisite", runbook?.prerequisites ?? [], journal),
    verification: checksOf("verification", runbook?.verification ?? [], journal),
  };
  const moneySummary = money === undefined ? undefined : describeMoney(money);
  const remainingTasks = remainingTasksOf({ runbook, journal, steps, verification: checks.verification });
  return {
    title: runbook?.title.replace(/^Runbook:\s*/i, "") ?? summary.runbookId,
    outcome: outcome?.replaceAll("_", " ") ?? summary.state.replaceAll("_", " "),
    headline: cleanText(concluded?.reason ?? summary.note ?? "The run goes on.", 500),
    inShort: inShortOf(journal, { acceptedAt: summary.acceptedAt, avoided: moneySummary?.avoided, remainingTasks: remainingTasks }),
    facts: factsOf({ summary, journal }, accepted, concluded?.at),
    ...(publicUrl !== undefined && { link: runPageAddress(publicUrl, { runId: summary.id }) }),
    ...proseOf(runbook),
    ...checks,
    steps,
    post: post.filter((story) => story.action !== "send-report"),
    metrics: metricsOf(journal),
    money: moneySummary?.lines ?? [],
    remainingTasks,
  };
}

function acceptedOf(journal: Journal): Accepted | undefined {
  return journal[0]?.kind === "accepted" ? journal[0] : undefined;
}

function proseOf(runbook: Runbook | undefined): { readonly scenario?: string; readonly symptoms?: string; readonly related?: string } {
  const { Scenario: scenario, Symptoms: symptoms, Related: related } = runbook?.prose ?? {};
  return {
    ...(scenario !== undefined && { scenario }),
    ...(symptoms !== undefined && { symptoms }),
    ...(related !== undefined && { related }),
  };
}

type Accepted = Extract<JournalEntry, { readonly kind: "accepted" }>;

function factsOf(
  { summary, journal }: Pick<ReviewInput, "summary" | "journal">,
  accepted: Accepted | undefined,
  endedAt: number | undefined,
): readonly (readonly [string, string])[] {
  const alert = accepted?.request.alert;
  const effects = effectsOf(journal);
  const takeovers = takeoversOf(journal);
  const rows: (readonly [string, string | undefined])[] = [
    ["Run", summary.id],
    ["Runbook", `${summary.runbookId} @ ${summary.runbookSha.slice(0, 12)}`],
    ["Target", summary.target],
    ["Mode", summary.mode],
    ["Alert", alert?.labels["alertname"]],
    ["What it said", alert?.annotations["summary"]],
    ["Labels", alert === undefined ? undefined : labelText(alert.labels)],
    ["Began firing", alert === undefined ? undefined : moment(alert.startsAt)],
    ["Started by", accepted?.request.requester],
    ["Accepted", moment(summary.acceptedAt)],
    [
      "First effect",
      effects.first === undefined
        ? effects.doubtful.length === 0
          ? "none: nothing was changed"
          : "none is known; something may have happened"
        : `${moment(effects.first)} (${span(effects.first - summary.acceptedAt)} after it was accepted)`,
    ],
    ["Ended", endedAt === undefined ? undefined : `${moment(endedAt)} (after ${span(endedAt - summary.acceptedAt)})`],
    [
      "Workers",
      takeovers > 0 ? `taken over ${takeovers === 1 ? "once" : `${takeovers} times`}: another worker went on where the run was` : undefined,
    ],
  ];
  return rows.flatMap(([name, value]) => (value === undefined || value === "" ? [] : [[name, shortLine(cleanText(value), 500)] as const]));
}

interface InShort {
  readonly acceptedAt: number;
  readonly avoided: string | undefined;
  readonly remainingTasks: readonly string[];
}

function inShortOf(journal: Journal, { acceptedAt, avoided, remainingTasks }: InShort): readonly string[] {
  const sentence = journal
    .flatMap((entry) => (entry.kind === "applied" ? [entry.output["sentence"]] : []))
    .find((text) => typeof text === "string");
  const { first, doubtful } = effectsOf(journal);
  const people = new Set(journal.flatMap((entry) => (entry.kind === "answered" ? [entry.answer.by] : [])));
  return [
    typeof sentence === "string" ? `Cause: ${sentence}` : undefined,
    first === undefined
      ? doubtful.length === 0
        ? "Nothing was changed."
        : undefined
      : `The first change was made ${span(first - acceptedAt)} after the run was accepted.`,
    doubtful.length === 0 ? undefined : `It is not known whether this happened: ${doubtful.map(({ summary }) => summary).join("; ")}.`,
    avoided,
    people.size === 0 ? "No person had to act." : `Asked and answered: ${[...people].join(", ")}.`,
    remainingTasks.length === 0
      ? "Nothing is left for people."
      : `${remainingTasks.length} ${remainingTasks.length === 1 ? "thing is" : "things are"} left for people, at the end.`,
  ].flatMap((text) => (text === undefined ? [] : [cleanText(text, 500)]));
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return (
    Object.entries(labels)
      .filter(([name]) => name !== "alertname")
      // Each is cut separately, so that a long one does not hide those behind it.
      .map(([name, value]) => `${shortLine(name, 60)}="${shortLine(value, 120)}"`)
      .join(", ")
  );
}

function storiesOf(runbook: Runbook | undefined, journal: Journal): readonly StepStory[] {
  if (runbook !== undefined) {
    return runbook.steps.map((step) =>
      describeStep(
        {
          id: step.id,
          name: step.name,
          number: step.number,
          text: step.text,
          ...(step.section !== undefined && { section: step.section }),
          ...(step.action !== undefined && { action: step.action.name }),
        },
        journal,
      ),
    );
  }
  const ids = new Set(journal.flatMap((entry) => ("step" in entry && entry.step !== undefined ? [entry.step] : [])));
  return [...ids].map((id) => describeStep({ id, name: id, text: "" }, journal));
}

function postOf(runbook: Runbook | undefined, journal: Journal): readonly StepStory[] {
  return (runbook?.postAction ?? []).flatMap((item, index) =>
    item.action === undefined
      ? []
      : [describeStep({ id: `post_action_${index + 1}`, name: item.action.name, text: item.text, action: item.action.name }, journal)],
  );
}

function checksOf(kind: "prerequisite" | "verification", items: readonly CheckItem[], journal: Journal): readonly CheckStory[] {
  const accepted = acceptedOf(journal);
  return items.map((item, index) => {
    const entries = journal.filter((entry) => entry.kind === "checked" && entry.subject.kind === kind && entry.subject.index === index);
    const last = entries.at(-1);
    const source = sourceOf(item, accepted);
    const base = { text: item.text, ...(source !== undefined && { source }) };
    if (last?.kind !== "checked") return { ...base, truth: "unchecked", detail: item.check === undefined ? "for people" : "not reached" };
    const repetition = entries.length > 1 ? `, after ${entries.length} looks` : "";
    return { ...base, truth: last.truth, detail: `${cleanText(last.detail, 400)} (${moment(last.at)}${repetition})` };
  });
}

/** What was asked, with the run's own values in place of templates. */
function sourceOf({ check }: CheckItem, accepted: Accepted | undefined): string | undefined {
  switch (check?.kind) {
    case "promql": {
      const { alert, params } = accepted?.request ?? {};
      const resolved = resolvePromql(check.query, { ...(alert !== undefined && { alert }), ...(params !== undefined && { params }) });
      return resolved.ok ? resolved.query : check.query;
    }
    case "expression":
      return check.expression.source;
    case "action":
      return `${check.call.name}: ${check.expected.source}`;
    case undefined:
      return undefined;
  }
}

function metricsOf(journal: Journal): readonly MetricStory[] {
  const samples = journal.flatMap((entry) => (entry.kind === "sampled" ? [entry] : []));
  const names = new Set(samples.flatMap(({ values }) => Object.keys(values)));
  return [...names].map((name) => ({ name, points: samples.map(({ at, values }) => ({ at, value: values[name] ?? null })) }));
}

interface Leftovers {
  readonly runbook: Runbook | undefined;
  readonly journal: Journal;
  readonly steps: readonly StepStory[];
  readonly verification: readonly CheckStory[];
}

function remainingTasksOf({ runbook, journal, steps, verification }: Leftovers): readonly string[] {
  const { doubtful } = effectsOf(journal);
  const answered = new Set(journal.flatMap((entry) => (entry.kind === "answered" ? [entry.questionId] : [])));
  const ended = journal.some((entry) => entry.kind === "finished" || entry.kind === "concluded");
  return [
    ...doubtful.map(
      ({ summary, targets }) =>
        `${summary} ${ended ? "may have happened" : "is under way, or its outcome is not known"}: look at ${targets.length === 0 ? "the target" : targets.join(", ")}.`,
    ),
    ...steps.flatMap(({ name, state }) =>
      state === "failed" || state === "refused" || (state === "in doubt" && !ended) ? [`Step "${name}" is ${state}: look at it.`] : [],
    ),
    ...journal.flatMap((entry) =>
      entry.kind === "undo_failed" ? [`Step "${entry.step}" could not be undone: ${entry.failure.message}`] : [],
    ),
    ...journal.flatMap((entry) =>
      entry.kind === "undone" && entry.kept !== undefined
        ? [`Step "${entry.step}" was not undone, because it lowers: take it back yourselves once that is safe.`]
        : [],
    ),
    ...verification.flatMap(({ text, truth }) =>
      truth === "false" || truth === "inconclusive" ? [`Verification is ${truth}: ${firstLine(text)}`] : [],
    ),
    ...(ended
      ? []
      : journal.flatMap((entry) =>
          entry.kind === "asked" && !answered.has(entry.question.id) ? [`A question waits: ${entry.question.text}`] : [],
        )),
    ...(runbook?.postAction ?? []).flatMap((item) => (item.action === undefined ? [item.text] : [])),
  ].map((text) => cleanText(text, 1000));
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
