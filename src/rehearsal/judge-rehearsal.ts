import { isDeepStrictEqual } from "node:util";
import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import type { Expectation, Rehearsal, StepEnd } from "./rehearsal.ts";
import { type Rehearsed, runRehearsal } from "./run-rehearsal.ts";
import { stepIdOf } from "./step-names.ts";

/** A rehearsal that was held. It passed when there are no differences. */
export interface RehearsalResult {
  readonly runbookId: string;
  readonly file: string;
  readonly name: string;
  readonly outcome: string;
  readonly reason: string;
  readonly steps: Readonly<Record<string, StepEnd>>;
  readonly effects: readonly string[];
  readonly mails: readonly string[];
  readonly questions: readonly string[];
  readonly virtualMs: number;
  /** What is not as expected, one sentence each. */
  readonly differences: readonly string[];
}

/** Holds one rehearsal and compares what came of it with what must come of it. */
export async function judgeRehearsal(runbook: Runbook, rehearsal: Rehearsal): Promise<RehearsalResult> {
  const rehearsed = await runRehearsal(runbook, rehearsal);
  const finished = rehearsed.journal.findLast((entry) => entry.kind === "finished");
  const observed = {
    outcome: finished?.outcome ?? "waiting",
    reason: finished?.reason ?? "",
    steps: Object.fromEntries(runbook.steps.map(({ id }) => [id, endOf(id, rehearsed)])),
    effects: rehearsed.effects,
    mails: rehearsed.mails,
    questions: rehearsed.questions.map(({ stepId, kind }) => `${stepId}: ${kind}`),
  };
  return {
    runbookId: runbook.id,
    file: rehearsal.file,
    name: rehearsal.name,
    ...observed,
    virtualMs: rehearsed.ms,
    differences: [...rehearsed.faults, ...compare(runbook, rehearsal.expect, observed)],
  };
}

function endOf(stepId: string, { journal, ended }: Rehearsed): StepEnd {
  let end: StepEnd = "not_reached";
  for (const entry of journal) {
    if (entry.kind === "completed" && entry.step === stepId) end = "completed";
    // A failure that the document passes over is still a failure.
    if (entry.kind === "skipped" && entry.step === stepId && end !== "failed") end = "skipped";
    if (entry.kind === "failed" && entry.step === stepId) end = "failed";
    if (entry.kind === "retried" && entry.step === stepId) end = "not_reached";
    if (entry.kind === "asked" && entry.question.stepId === stepId && !ended) end = "waiting";
    if (entry.kind === "answered" && end === "waiting") end = "not_reached";
  }
  return end;
}

type RehearsalObservation = Pick<RehearsalResult, "outcome" | "reason" | "steps" | "effects" | "mails" | "questions">;

function compare(runbook: Runbook, expect: Expectation, observed: RehearsalObservation): readonly string[] {
  const differences: string[] = [];
  if (observed.outcome !== expect.outcome)
    differences.push(
      `outcome: expected ${expect.outcome}, it is ${observed.outcome}${observed.reason === "" ? "" : ` (${observed.reason})`}`,
    );
  if (expect.reason !== undefined && !observed.reason.includes(expect.reason))
    differences.push(`reason: expected a sentence with "${expect.reason}", it is "${observed.reason}"`);
  for (const [name, end] of Object.entries(expect.steps)) {
    const id = stepIdOf(runbook, name);
    const is = id === undefined ? undefined : observed.steps[id];
    if (is === undefined) differences.push(`steps: the runbook has no step \`${name}\``);
    else if (is !== end) differences.push(`steps: expected ${name} to be ${end}, it is ${is}`);
  }
  for (const part of ["effects", "mails", "questions"] as const) {
    const wanted = expect[part];
    if (wanted !== undefined && !isDeepStrictEqual([...wanted], [...observed[part]]))
      differences.push(`${part}: expected ${listed(wanted)}, there were ${listed(observed[part])}`);
  }
  return differences;
}

function listed(lines: readonly string[]): string {
  return lines.length === 0 ? "none" : lines.map((line) => `\n    - ${line}`).join("");
}
