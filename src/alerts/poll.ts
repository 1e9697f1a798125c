import type { Alert, Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Clock } from "../core/clock.ts";
import type { EventSink } from "../core/event.ts";
import type { Log } from "../core/log.ts";
import { type PeriodicWork, runPeriodically } from "../core/run-periodically.ts";
import type { Intake } from "./create-intake.ts";
import { notificationOfEnds, notificationOfPoll } from "./found-by-poll.ts";
import type { AlertmanagerStatus, StandingAlerts } from "./standing-alert.ts";

/** One Alertmanager that is asked. */
export interface PolledAlertmanager {
  /** As people and metrics name it. */
  readonly name: string;
  alerts(signal: AbortSignal): Promise<StandingAlerts>;
  status(signal: AbortSignal): Promise<AlertmanagerStatus | undefined>;
}

/** The alert of an open run that an Alertmanager sent. */
export interface OpenAlert {
  readonly runId: string;
  readonly runbookId: string;
  readonly alert: Alert;
}

/** What happens at a poll. */
export type PollEvent =
  /** An Alertmanager could be asked, and what it holds was accepted. */
  | { readonly kind: "alertmanager_polled"; readonly alertmanager: string }
  /** `missed`: firing alerts whose runs began only now. `resolved`: ended alerts of open runs that no webhook had reported. */
  | { readonly kind: "poll_corrected"; readonly found: "missed" | "resolved"; readonly count: number };

/** What the poll is made of; all lengths in milliseconds. */
export interface PollOptions {
  readonly alertmanagers: readonly PolledAlertmanager[];
  readonly intake: Intake;
  /** Alerts of open runs; asked before the Alertmanagers are. */
  readonly open: () => Promise<readonly OpenAlert[]>;
  /** Id of the runbook that these labels start. */
  readonly match: (labels: Labels) => string | undefined;
  readonly clock: Clock;
  readonly everyMs: number;
  /** An alert younger than this may still be on its way to us by webhook. */
  readonly graceMs: number;
  /** How long an Alertmanager must have been up before what it does not hold has ended. */
  readonly settlesMs: number;
  /** Between two looks, however often it is triggered. */
  readonly minIntervalMs: number;
  readonly drain: AbortSignal;
  readonly publish: EventSink<PollEvent>;
  readonly log: Log;
}

/** What one look remembers for the next. */
interface Memory {
  /** Whether it saw an alert that may still be on its way to us, so that the next look must not be late. */
  readonly young: boolean;
  /** Alerts of open runs that no Alertmanager held. */
  readonly missing: ReadonlySet<string>;
  /** Alerts that were refused or paused: that they start later is no webhook's fault. */
  readonly blocked: ReadonlySet<string>;
}

/**
 * Anti-entropy: every `everyMs` (sooner when an alert was seen that was too young) the active alerts of every Alertmanager are compared with what we know. What a webhook missed goes to the intake
 * as if it had come by webhook, so that it starts at most one run. An open run whose alert no Alertmanager held in two looks in a row hears
 * that it has ended; an Alertmanager that cannot be asked, or has just started, says nothing of the kind.
 */
export function startPoll(options: PollOptions): PeriodicWork {
  const { clock, log, everyMs: intervalMs, graceMs, minIntervalMs: minRestMs, drain: signal } = options;
  let memory: Memory = { young: false, missing: new Set(), blocked: new Set() };
  return runPeriodically({ name: "alert poll", intervalMs, minPauseMs: minRestMs, clock, log, signal }, async ({ triggered }) => {
    memory = await reconcile(options, memory, triggered ? 0 : graceMs);
    return memory.young ? Math.min(graceMs, intervalMs) : intervalMs;
  });
}

async function reconcile(options: PollOptions, memory: Memory, graceMs: number): Promise<Memory> {
  const { clock, drain, intake } = options;
  // First what we know: a run that starts while we ask is no run whose alert has ended.
  const open = await options.open();
  const views = await Promise.all(options.alertmanagers.map(async (alertmanager) => ask(alertmanager, options)));
  const reached = views.filter((view) => view !== undefined);
  if (drain.aborted || reached.length === 0) return memory;
  const now = clock.now();

  let young = false;
  let blocked: ReadonlySet<string> = new Set<string>();
  for (const { alerts, status } of reached) {
    const ours = status?.receivers;
    const notification = notificationOfPoll(alerts, {
      isMatched: (labels) => options.match(labels) !== undefined,
      callsUs: (receivers) => ours === undefined || receivers.some((name) => ours.includes(name)),
      now,
    });
    const due = notification.alerts.filter(({ alert, clockFault }) => clockFault !== undefined || alert.startsAt <= now - graceMs);
    young ||= due.length < notification.alerts.length;
    const decisions = await intake.accept({ ...notification, alerts: due }, "poll");
    const missed = decisions.filter(({ decision, fingerprint }) => decision === "enqueued" && !memory.blocked.has(fingerprint));
    if (missed.length > 0) reportCorrection(options, "missed", missed.length);
    blocked = new Set([
      ...blocked,
      ...decisions.filter(({ decision }) => decision === "refused" || decision === "paused").map(({ fingerprint }) => fingerprint),
    ]);
  }

  const canSayGone = reached.every(({ status }) => status?.startedAt !== undefined && now - status.startedAt >= options.settlesMs);
  const activeFingerprints = new Set(reached.flatMap(({ alerts }) => alerts.map(({ alert }) => alert.fingerprint)));
  const missing = canSayGone
    ? open.filter(({ alert, runbookId }) => !activeFingerprints.has(alert.fingerprint) && options.match(alert.labels) === runbookId)
    : [];
  const gone = missing.filter(({ runId }) => memory.missing.has(runId));
  if (gone.length > 0) {
    await intake.accept(
      notificationOfEnds(
        gone.map(({ alert }) => alert),
        now,
      ),
      "poll",
    );
    reportCorrection(options, "resolved", gone.length);
  }
  for (const { name } of reached) options.publish({ kind: "alertmanager_polled", alertmanager: name });
  return { young, missing: new Set(missing.map(({ runId }) => runId)), blocked };
}

function reportCorrection({ publish, log }: PollOptions, found: "missed" | "resolved", count: number): void {
  publish({ kind: "poll_corrected", found, count });
  log.warn({ found, count }, "The poll of Alertmanager found what no webhook had reported.");
}

async function ask(alertmanager: PolledAlertmanager, { drain, log }: PollOptions) {
  const { name } = alertmanager;
  const [polled, status] = await Promise.all([alertmanager.alerts(drain), alertmanager.status(drain)]);
  if (polled.kind === "alerts") return { name, alerts: polled.alerts, status };
  if (!drain.aborted) log.warn({ alertmanager: name, reason: polled.reason }, "An Alertmanager could not be asked for its alerts.");
  return undefined;
}
