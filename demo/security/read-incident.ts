import { z } from "zod";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Instant } from "../../src/core/clock.ts";
import { resultsOf } from "../journal-checks.ts";
import type { FindingView, RunView } from "../runbookd-api.ts";
import type { AssessedFinding, SecurityObservations } from "./security-result.ts";

/*
 * What a run's journal and the findings say, put into the observations.
 */

const offShape = z.looseObject({ needed: z.boolean(), off: z.boolean(), followers: z.number(), followers_current: z.number() });
const sealedShape = z.looseObject({ sealed: z.literal(true) });
const replayShape = z.looseObject({
  hits: z.number(),
  tries: z.number(),
  bound: z.number(),
  sha: z.string(),
  harmless: z.number().catch(0),
  harmless_worse: z.number().catch(0),
});
const testsShape = z.looseObject({ sha: z.string(), passed: z.number(), failed: z.number() });
const mergeShape = z.looseObject({ merged: z.boolean(), moved: z.boolean(), sha: z.string() });
const deployedShape = z.looseObject({ deployed: z.literal(true), current: z.number(), processes: z.number() });
const enabledShape = z.looseObject({ share: z.literal(1) });
const closedShape = z.looseObject({ open: z.number(), fixed: z.number(), dismissed: z.number() });
const writtenShape = z.looseObject({ id: z.string() });
const fixShape = z.looseObject({ sha: z.string(), change: z.string() });

interface ReadResult<Output> {
  readonly at: Instant;
  readonly output: Output;
}

/** Results of an action that have the shape. */
function readResults<Shape extends z.ZodType>(
  journal: readonly JournalEntry[],
  action: string,
  shape: Shape,
): readonly ReadResult<z.output<Shape>>[] {
  return resultsOf(journal, action).flatMap(({ at, output }) => {
    const parsed = shape.safeParse(output);
    return parsed.success ? [{ at, output: parsed.data }] : [];
  });
}

/** Whether the step that switches off has decided, and what: undefined while it has not. */
export function readOff({ journal }: Pick<RunView, "journal">) {
  return readResults(journal, "disable-feature", offShape).at(-1)?.output;
}

/** Puts what a run of the incident has shown so far into the observations; what an earlier one has shown once stays. */
export function recordRun(observations: SecurityObservations, { journal, summary }: RunView): void {
  observations.acceptedAt ??= summary.acceptedAt;
  const off = readResults(journal, "disable-feature", offShape).findLast(({ output }) => output.needed)?.output;
  if (off !== undefined) observations.off = { needed: off.needed, followers: off.followers, followersCurrent: off.followers_current };
  observations.sealedAt ??= readResults(journal, "keep-evidence", sealedShape)[0]?.at;
  observations.fixSha = readResults(journal, "prepare-hotfix", fixShape).at(-1)?.output.sha;
  const tests = readResults(journal, "run-tests", testsShape).at(-1);
  observations.testedAt = tests?.at;
  observations.tests = tests?.output;
  recordReplays(observations, journal);
  const merges = readResults(journal, "merge-change", mergeShape);
  const merged = merges.find(({ output }) => output.merged);
  observations.mergedAt = merged?.at;
  observations.mergeSha = merged?.output.sha;
  observations.voidedAt ??= merges.find(({ output }) => output.moved && !output.merged)?.at ?? refusedMergeAt(journal);
  const deployed = readResults(journal, "deploy-release", deployedShape).at(-1);
  observations.deployedAt = deployed?.at;
  if (deployed !== undefined) observations.deployed = { current: deployed.output.current, processes: deployed.output.processes };
  observations.enabledAt = readResults(journal, "enable-feature", enabledShape)[0]?.at;
  observations.closedAt = closedAt(journal);
  observations.writtenAt = readResults(journal, "write-post-mortem", writtenShape)[0]?.at;
  if (journal.some(({ kind }) => kind === "finished")) observations.outcome = summary.outcome;
}

/** A merge that was planned anew is refused before it is tried, because the head is another one by then. */
function refusedMergeAt(journal: readonly JournalEntry[]): Instant | undefined {
  return journal.find((entry) => entry.kind === "failed" && entry.failure.message.includes("was tested; nothing was merged"))?.at;
}

/** When the step was complete that waits for the sources; one that only reads has no intent, and is recognized by its result. */
function closedAt(journal: readonly JournalEntry[]): Instant | undefined {
  const steps = journal.flatMap((entry) => (entry.kind === "applied" && closedShape.safeParse(entry.output).success ? [entry.step] : []));
  return journal.find((entry) => entry.kind === "completed" && steps.includes(entry.step))?.at;
}

/** The replay on the commit of the fix is the one that the fix is proven by; the one before reproduces. */
function recordReplays(observations: SecurityObservations, journal: readonly JournalEntry[]): void {
  const replays = readResults(journal, "replay-attacks", replayShape).map(({ at, output }) => ({
    at,
    replay: { ...output, harmlessWorse: output.harmless_worse },
  }));
  const before = replays.find(({ replay }) => replay.sha !== observations.fixSha);
  const after = replays.findLast(({ replay }) => replay.sha === observations.fixSha);
  observations.reproducedAt = before === undefined || before.replay.hits === 0 ? undefined : before.at;
  observations.reproduced = before?.replay;
  observations.replayedAt = after?.at;
  observations.replay = after?.replay;
}

/** Puts the states of the incident's findings, and how the serious ones were assessed, into the observations. */
export function recordFindings(observations: SecurityObservations, findings: readonly FindingView[], now: Instant): void {
  const serious = findings.filter(({ source }) => source !== lowSource);
  observations.sourceStates = serious.map(({ state }) => state);
  const advisory = assessed(serious.find(({ source }) => source === advisorySource));
  observations.serious = advisory ?? observations.serious;
  if (serious.some(({ source }) => source === codeSource)) observations.listedAt ??= now;
}

/** Sources of the findings, as runbookd names them. */
export const lowSource = "github-dependabot";
/** See {@link lowSource}. */
export const advisorySource = "github-advisories";
/** See {@link lowSource}. */
export const codeSource = "github-code-scanning";

/** How a finding was assessed; undefined: it was not yet. */
export function assessed(finding: FindingView | undefined): AssessedFinding | undefined {
  const verdict = finding?.verdict;
  return verdict === undefined || verdict === null ? undefined : { class: verdict.class, unknown: verdict.unknown };
}
