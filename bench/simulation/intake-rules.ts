import type { Episode } from "../../src/alerts/episode.ts";
import type { MemoryRun } from "../../src/rehearsal/memory-accept-store.ts";
import type { AnsweredDecision } from "./simulated-alertmanager.ts";
import type { SimulatedAlert } from "./simulated-alerts.ts";
import type { Violation } from "./violation.ts";

/** A world of intake, as it is after a step. */
export interface IntakeState {
  readonly alerts: readonly SimulatedAlert[];
  readonly runs: readonly MemoryRun[];
  /** Ids of runs that have ended. */
  readonly ended: ReadonlySet<string>;
  readonly decisions: readonly AnsweredDecision[];
}

/** What is there once all alerts have ended and all notifications are answered. */
export interface IntakeEnd {
  readonly episodes: readonly Episode[];
  /** What the run was told of the end of its alert. */
  readonly resolvedOf: (runId: string) => string | undefined;
}

/** A firing of this length is notified while it fires, whatever happens. */
const surelyNotifiedMs = 300_000;

/** What is wrong. `end`: all has come to rest. */
export function judgeIntake({ alerts, runs, ended, decisions }: IntakeState, end?: IntakeEnd): readonly Violation[] {
  const violations: Violation[] = [];
  const add = (rule: string, what: string) => void violations.push({ rule, what });
  const open = new Map<string, string>();
  const started = new Map<string, string>();
  for (const { summary, journal } of runs) {
    const [accepted] = journal;
    const alert = accepted?.kind === "accepted" ? accepted.request.alert : undefined;
    const place = `${summary.runbookId} ${summary.target}`;
    if (!ended.has(summary.id)) {
      const other = open.get(place);
      if (other !== undefined) add("one run", `${other} and ${summary.id} are open for ${place}`);
      open.set(place, summary.id);
    }
    // The two senders see one start a few seconds apart; two firings are minutes apart.
    const episode = `${alert?.fingerprint} ${Math.round((alert?.startsAt ?? 0) / 60_000)}`;
    const twin = started.get(episode);
    if (twin !== undefined) add("episode", `${twin} and ${summary.id} were started for one firing of ${alert?.fingerprint}`);
    started.set(episode, summary.id);
  }
  const ids = new Set(runs.map(({ summary }) => summary.id));
  for (const { decision } of decisions)
    if (decision.runId !== undefined && !ids.has(decision.runId))
      add("accepted", `${decision.fingerprint} was answered with ${decision.runId}, which does not exist`);
  if (end === undefined) return violations;
  for (const [index, { firings }] of alerts.entries()) {
    for (const { from, to } of firings) {
      const isServed = decisions.some(
        ({ alert, from: told, decision }) =>
          alert === index && told === from && (decision.decision === "enqueued" || decision.decision === "joined"),
      );
      if (!isServed && to - from >= surelyNotifiedMs) add("missed", `no run deals with alert ${index}, which fired from ${from} to ${to}`);
    }
  }
  for (const { fingerprint, endsAt, runId, ownRunId } of end.episodes) {
    if (endsAt === undefined) add("resolved", `the end of ${fingerprint} was notified, and its episode is open`);
    if (ownRunId !== undefined && runId === ownRunId && end.resolvedOf(ownRunId) === undefined)
      add("resolved", `${ownRunId} was not told that ${fingerprint} has ended`);
  }
  return violations;
}
