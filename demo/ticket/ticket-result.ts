import type { Instant } from "../../src/core/clock.ts";
import type { Stage } from "../../src/llm/tickets/stage.ts";
import type { TestRun } from "./run-tests.ts";

/** What was seen from outside; absent means: not seen. */
export interface TicketObservations {
  /** The stage plan was done and saved. */
  plannedAt?: Instant | undefined;
  /** The worker was killed while it implemented. */
  killedAt?: Instant | undefined;
  /** Tree of what lay in the worktree then, by our own reckoning. */
  leftTree?: string | undefined;
  /** Files that were written and not committed then. */
  leftEdits?: number | undefined;
  alertFiringAt?: Instant | undefined;
  acceptedAt?: Instant | undefined;
  foundAt?: Instant | undefined;
  failureClass?: string | undefined;
  preservedAt?: Instant | undefined;
  preserved?: { readonly ref: string; readonly tree: string } | undefined;
  resumedAt?: Instant | undefined;
  endedAt?: Instant | undefined;
  ticketState?: string | undefined;
  attempts?: number | undefined;
  verifiedAt?: Instant | undefined;
  reportSentAt?: Instant | undefined;
  outcome?: string | undefined;
  run?: string | undefined;
  /** How often each stage was done to its end. */
  stagesDone?: { readonly [Name in Stage]: number };
  /** Files that were written more than once. */
  editsRepeated?: number | undefined;
  /** The repository's own tests before the ticket, and on the branch that it published. */
  testsBefore?: TestRun;
  testsAfter?: TestRun;
}

/** The stages of the scenario. Each must be observed, or the demo has failed. */
export const ticketStages: readonly { readonly key: keyof TicketObservations; readonly label: string }[] = [
  { key: "plannedAt", label: "The ticket is planned, and the plan is a checkpoint" },
  { key: "killedAt", label: "Its worker is killed in the middle of implement, nothing is committed" },
  { key: "alertFiringAt", label: "Prometheus fires the alert of a stalled ticket" },
  { key: "acceptedAt", label: "Alertmanager calls, runbookd accepts" },
  { key: "foundAt", label: "The failure point is found" },
  { key: "preservedAt", label: "The unfinished work is a checkpoint" },
  { key: "resumedAt", label: "Another worker goes on with it" },
  { key: "endedAt", label: "The ticket is done and published" },
  { key: "verifiedAt", label: "The result is verified" },
  { key: "reportSentAt", label: "The report is mailed" },
];

/** The last line of `--json`; the names are a contract. Times are ISO 8601 in UTC, null when not observed. */
export function ticketLine(seen: TicketObservations): string {
  const iso = (at: Instant | undefined) => (at === undefined ? null : new Date(at).toISOString());
  const tests = (run: TestRun | undefined) => (run === undefined ? null : { passed: run.passed, failed: run.failed });
  return JSON.stringify({
    outcome: seen.outcome ?? null,
    plannedAt: iso(seen.plannedAt),
    killedAt: iso(seen.killedAt),
    alertFiringAt: iso(seen.alertFiringAt),
    acceptedAt: iso(seen.acceptedAt),
    foundAt: iso(seen.foundAt),
    preservedAt: iso(seen.preservedAt),
    resumedAt: iso(seen.resumedAt),
    endedAt: iso(seen.endedAt),
    verifiedAt: iso(seen.verifiedAt),
    reportSentAt: iso(seen.reportSentAt),
    failureClass: seen.failureClass ?? null,
    leftTree: seen.leftTree ?? null,
    preserved: seen.preserved ?? null,
    ticketState: seen.ticketState ?? null,
    attempts: seen.attempts ?? null,
    stagesDone: seen.stagesDone ?? null,
    editsRepeated: seen.editsRepeated ?? null,
    testsBefore: tests(seen.testsBefore),
    testsAfter: tests(seen.testsAfter),
    run: seen.run ?? null,
  });
}

/** What speaks against success, one sentence each; empty only when everything was observed. */
export function ticketFaults(seen: TicketObservations): readonly string[] {
  const faults = ticketStages.filter(({ key }) => seen[key] === undefined).map(({ label }) => `Not observed: ${label}.`);
  const expect = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault);
  };
  expect(seen.outcome === "succeeded", seen.outcome === undefined ? "Not observed: the end of the run." : `The run ended ${seen.outcome}.`);
  expect(seen.failureClass === "worker_lost", `The run named ${seen.failureClass ?? "nothing"} as the cause; the worker was lost.`);
  expect((seen.leftEdits ?? 0) > 0, "The worker was killed before it had written anything.");
  expect(
    seen.leftTree !== undefined && seen.preserved?.tree === seen.leftTree,
    `Tree ${seen.preserved?.tree ?? "unknown"} was preserved, and ${seen.leftTree ?? "unknown"} lay in the worktree.`,
  );
  expect(seen.ticketState === "succeeded", `The ticket is ${seen.ticketState ?? "unknown"}.`);
  for (const [stage, times] of Object.entries(seen.stagesDone ?? {})) expect(times === 1, `Stage ${stage} was done ${times} times.`);
  expect(seen.stagesDone !== undefined, "Nothing tells how often each stage was done.");
  expect(seen.editsRepeated === 0, `Files that were written more than once: ${seen.editsRepeated ?? "unknown"}.`);
  expect(seen.testsBefore?.ok === false, "The repository's tests passed before anything was done, or were not run.");
  expect(seen.testsAfter?.ok === true, `The repository's own tests do not pass: ${seen.testsAfter?.failed ?? "unknown"} fail.`);
  return faults;
}
