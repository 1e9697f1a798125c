import type { Instant } from "../../src/core/clock.ts";
import type { TicketPhase } from "../../src/llm/tickets/ticket-phase.ts";
import type { TestRun } from "./run-tests.ts";

/** What was seen from outside; absent means: not seen. */
export interface TicketObservations {
  /** The stage plan was done and saved. */
  plannedAt?: Instant | undefined;
  /** The worker was killed while it implemented. */
  killedAt?: Instant | undefined;
  /** Tree of what lay in the worktree then, by our own reckoning. */
  uncommittedTree?: string | undefined;
  /** Files that were written and not committed then. */
  uncommittedEdits?: number | undefined;
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
  phasesDone?: { readonly [Name in TicketPhase]: number };
  /** Files that were written more than once. */
  editsRepeated?: number | undefined;
  /** The repository's own tests before the ticket, and on the branch that it published. */
  testsBefore?: TestRun;
  testsAfter?: TestRun;
}

/** The stages of the scenario. Each must be observed, or the demo has failed. */
export const ticketMilestones: readonly { readonly key: keyof TicketObservations; readonly label: string }[] = [
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
export function ticketLine(observations: TicketObservations): string {
  const iso = (at: Instant | undefined) => (at === undefined ? null : new Date(at).toISOString());
  const tests = (run: TestRun | undefined) => (run === undefined ? null : { passed: run.passed, failed: run.failed });
  return JSON.stringify({
    outcome: observations.outcome ?? null,
    plannedAt: iso(observations.plannedAt),
    killedAt: iso(observations.killedAt),
    alertFiringAt: iso(observations.alertFiringAt),
    acceptedAt: iso(observations.acceptedAt),
    foundAt: iso(observations.foundAt),
    preservedAt: iso(observations.preservedAt),
    resumedAt: iso(observations.resumedAt),
    endedAt: iso(observations.endedAt),
    verifiedAt: iso(observations.verifiedAt),
    reportSentAt: iso(observations.reportSentAt),
    failureClass: observations.failureClass ?? null,
    leftTree: observations.uncommittedTree ?? null,
    preserved: observations.preserved ?? null,
    ticketState: observations.ticketState ?? null,
    attempts: observations.attempts ?? null,
    stagesDone: observations.phasesDone ?? null,
    editsRepeated: observations.editsRepeated ?? null,
    testsBefore: tests(observations.testsBefore),
    testsAfter: tests(observations.testsAfter),
    run: observations.run ?? null,
  });
}

/** What speaks against success, one sentence each; empty only when everything was observed. */
export function ticketFaults(observations: TicketObservations): readonly string[] {
  const faults = ticketMilestones.filter(({ key }) => observations[key] === undefined).map(({ label }) => `Not observed: ${label}.`);
  const expect = (condition: boolean, fault: string) => {
    if (!condition) faults.push(fault);
  };
  expect(
    observations.outcome === "succeeded",
    observations.outcome === undefined ? "Not observed: the end of the run." : `The run ended ${observations.outcome}.`,
  );
  expect(
    observations.failureClass === "worker_lost",
    `The run named ${observations.failureClass ?? "nothing"} as the cause; the worker was lost.`,
  );
  expect((observations.uncommittedEdits ?? 0) > 0, "The worker was killed before it had written anything.");
  expect(
    observations.uncommittedTree !== undefined && observations.preserved?.tree === observations.uncommittedTree,
    `Tree ${observations.preserved?.tree ?? "unknown"} was preserved, and ${observations.uncommittedTree ?? "unknown"} lay in the worktree.`,
  );
  expect(observations.ticketState === "succeeded", `The ticket is ${observations.ticketState ?? "unknown"}.`);
  for (const [phase, times] of Object.entries(observations.phasesDone ?? {}))
    expect(times === 1, `Stage ${phase} was done ${times} times.`);
  expect(observations.phasesDone !== undefined, "Nothing tells how often each stage was done.");
  expect(observations.editsRepeated === 0, `Files that were written more than once: ${observations.editsRepeated ?? "unknown"}.`);
  expect(observations.testsBefore?.ok === false, "The repository's tests passed before anything was done, or were not run.");
  expect(
    observations.testsAfter?.ok === true,
    `The repository's own tests do not pass: ${observations.testsAfter?.failed ?? "unknown"} fail.`,
  );
  return faults;
}
