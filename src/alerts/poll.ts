import type { Alert, Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Clock } from "../core/clock.ts";
import type { WorkerHandle } from "../core/worker-handle.ts";
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

/** What the poll tells. */
export interface PollObserver {
  /** An Alertmanager could be asked, and what it said was accepted. */
  asked(alertmanager: string): void;
  unavailable(alertmanager: string, reason: string): void;
  /** A webhook did not tell us: `missed` firing alerts whose runs began now, `resolved` ones whose open runs heard of it now. */
  found(what: "missed" | "resolved", count: number): void;
  failed(error: unknown): void;
}

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
  readonly restMs: number;
  readonly drain: AbortSignal;
  readonly observer: PollObserver;
}

/** A running poll. */
export interface PollHandle extends WorkerHandle {
  /** Look now: a webhook has left alerts out. */
  trigger(): void;
}

/** What one look remembers for the next. */
interface Memory {
  /** Whether it saw an alert that may still be on its way to us, so that the next look must not be late. */
  readonly young: boolean;
  /** Alerts of open runs that no Alertmanager held. */
  readonly missing: ReadonlySet<string>;
  /** Alerts that were refused or paused: that they start later is no webhook's fault. */
  readonly heldBack: ReadonlySet<string>;
}

/**
 * Anti-entropy: every `everyMs` (sooner when an alert was seen that was too young) the active alerts of every Alertmanager are compared with what we know. What a webhook missed goes to the intake
 * as if it had come by webhook, so that it starts at most one run. An open run whose alert no Alertmanager held in two looks in a row hears
 * that it has ended; an Alertmanager that cannot be asked, or has just started, says nothing of the kind.
 */
export function startPoll(options: PollOptions): PollHandle {
  const { clock, drain } = options;
  let triggered = false;
  let wake = new AbortController();
  let memory: Memory = { young: false, missing: new Set(), heldBack: new Set() };

  const loop = async (): Promise<void> => {
    while (!drain.aborted) {
      const graceMs = triggered ? 0 : options.graceMs;
      triggered = false;
      wake = new AbortController();
      try {
        memory = await look(options, memory, graceMs);
      } catch (error) {
        if (!drain.aborted) options.observer.failed(error);
      }
      await clock.sleep(options.restMs, drain).catch(() => undefined);
      const untilNextMs = memory.young ? Math.min(options.graceMs, options.everyMs) : options.everyMs;
      if (!triggered)
        await clock.sleep(Math.max(0, untilNextMs - options.restMs), AbortSignal.any([drain, wake.signal])).catch(() => undefined);
    }
  };
  const running = loop();
  return {
    trigger() {
      triggered = true;
      wake.abort();
    },
    close: async () => running,
  };
}

async function look(options: PollOptions, memory: Memory, graceMs: number): Promise<Memory> {
  const { clock, drain, intake, observer } = options;
  // First what we know: a run that starts while we ask is no run whose alert has ended.
  const open = await options.open();
  const views = await Promise.all(options.alertmanagers.map(async (alertmanager) => ask(alertmanager, observer, drain)));
  const reached = views.filter((view) => view !== undefined);
  if (drain.aborted || reached.length === 0) return memory;
  const now = clock.now();

  let young = false;
  let heldBack: ReadonlySet<string> = new Set<string>();
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
    const missed = decisions.filter(({ decision, fingerprint }) => decision === "enqueued" && !memory.heldBack.has(fingerprint));
    if (missed.length > 0) observer.found("missed", missed.length);
    heldBack = new Set([
      ...heldBack,
      ...decisions.filter(({ decision }) => decision === "refused" || decision === "paused").map(({ fingerprint }) => fingerprint),
    ]);
  }

  const canSayGone = reached.every(({ status }) => status?.startedAt !== undefined && now - status.startedAt >= options.settlesMs);
  const held = new Set(reached.flatMap(({ alerts }) => alerts.map(({ alert }) => alert.fingerprint)));
  const missing = canSayGone
    ? open.filter(({ alert, runbookId }) => !held.has(alert.fingerprint) && options.match(alert.labels) === runbookId)
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
    observer.found("resolved", gone.length);
  }
  for (const { name } of reached) observer.asked(name);
  return { young, missing: new Set(missing.map(({ runId }) => runId)), heldBack };
}

async function ask(alertmanager: PolledAlertmanager, observer: PollObserver, signal: AbortSignal) {
  const [seen, status] = await Promise.all([alertmanager.alerts(signal), alertmanager.status(signal)]);
  if (seen.kind === "alerts") return { name: alertmanager.name, alerts: seen.alerts, status };
  if (!signal.aborted) observer.unavailable(alertmanager.name, seen.reason);
  return undefined;
}
