import type { Alert, Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Matcher } from "../../packages/sdk/src/wire/runbooks.ts";
import { type Clock, type Instant, yieldToEventLoop } from "../core/clock.ts";
import type { EventSink } from "../core/event.ts";
import type { Log } from "../core/log.ts";
import { type PeriodicWork, runPeriodically } from "../core/run-periodically.ts";
import type { Intake } from "./create-intake.ts";
import { mutedBy, notificationOfEnds, notificationOfPoll } from "./found-by-poll.ts";
import type { Notification, UnreadableAlert } from "./notification.ts";
import type { AlertmanagerStatus, AlertQuestion, StandingAlert, StandingAlerts } from "./standing-alert.ts";

/** One Alertmanager that is asked. */
export interface PolledAlertmanager {
  /** As people and metrics name it. */
  readonly name: string;
  alerts(signal: AbortSignal, question?: AlertQuestion): Promise<StandingAlerts>;
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
  /** The matchers of every trigger, to ask for their alerts alone where the receivers that call us are not known. */
  readonly triggers: () => readonly (readonly Matcher[])[];
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
  /** Alerts that could not be read: each is told once. */
  readonly unreadable: ReadonlySet<string>;
}

/** Alerts that are judged before others get their turn. */
const alertsAtOnce = 500;

/** More questions than this are not asked: everything is asked for at once. */
const maxQuestions = 50;

/** Alerts whose absence is made sure of in one look; the rest waits for the next. */
const maxConfirmed = 50;

/**
 * Anti-entropy: every `everyMs` (sooner when an alert was seen that was too young) the active alerts of every Alertmanager are compared with what we know. What a webhook missed goes to the intake
 * as if it had come by webhook, so that it starts at most one run. An open run whose alert no Alertmanager held in two looks in a row hears
 * that it has ended; an Alertmanager that cannot be asked, or has just started, says nothing of the kind.
 */
export function startPoll(options: PollOptions): PeriodicWork {
  const { clock, log, everyMs: intervalMs, graceMs, minIntervalMs: minPauseMs, drain: signal } = options;
  let memory: Memory = { young: false, missing: new Set(), blocked: new Set(), unreadable: new Set() };
  return runPeriodically({ name: "alert poll", intervalMs, minPauseMs: minPauseMs, clock, log, signal }, async ({ triggered }) => {
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
  const reported = new Set<string>();
  for (const view of reached) {
    const notification = await notificationOf(view, options, now);
    const due = notification.alerts.filter(({ alert, clockFault }) => clockFault !== undefined || alert.startsAt <= now - graceMs);
    young ||= due.length < notification.alerts.length;
    const unreadable = notification.unreadable.filter((one) => {
      const isKnown = memory.unreadable.has(keyOf(one)) || reported.has(keyOf(one));
      reported.add(keyOf(one));
      return !isKnown;
    });
    const decisions = await intake.accept({ ...notification, alerts: due, unreadable }, "poll");
    const missed = decisions.filter(({ decision, fingerprint }) => decision === "enqueued" && !memory.blocked.has(fingerprint));
    if (missed.length > 0) reportCorrection(options, "missed", missed.length);
    blocked = new Set([
      ...blocked,
      ...decisions.filter(({ decision }) => decision === "refused" || decision === "paused").map(({ fingerprint }) => fingerprint),
    ]);
  }

  const canSayGone = reached.every(({ status }) => status?.startedAt !== undefined && now - status.startedAt >= options.settlesMs);
  const activeFingerprints = new Set(
    reached.flatMap(({ alerts, unreadable }) => [
      ...alerts.map(({ alert }) => alert.fingerprint),
      ...unreadable.map((one) => one.fingerprint),
    ]),
  );
  const missing = canSayGone
    ? open.filter(({ alert, runbookId }) => !activeFingerprints.has(alert.fingerprint) && options.match(alert.labels) === runbookId)
    : [];
  const gone: OpenAlert[] = [];
  for (const one of missing.filter(({ runId }) => memory.missing.has(runId)).slice(0, maxConfirmed))
    if (await isGone(one, reached, drain)) gone.push(one);
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
  return { young, missing: new Set(missing.map(({ runId }) => runId)), blocked, unreadable: reported };
}

function keyOf({ fingerprint, reason }: UnreadableAlert): string {
  return `${fingerprint} ${reason}`;
}

/** What a webhook should have told of one Alertmanager's alerts, judged with turns for others in between. */
async function notificationOf({ alerts, unreadable, status }: View, options: PollOptions, now: Instant): Promise<Notification> {
  const ours = status?.receivers;
  const rules = {
    isMatched: (labels: Labels) => options.match(labels) !== undefined,
    callsUs: (receivers: readonly string[]) => ours === undefined || receivers.some((name) => ours.includes(name)),
    muted: mutedBy(alerts),
    now,
  };
  const found: Pick<Notification, "alerts" | "unreadable">[] = [];
  for (let from = 0; from < alerts.length; from += alertsAtOnce) {
    if (from > 0) await yieldToEventLoop();
    found.push(notificationOfPoll(alerts.slice(from, from + alertsAtOnce), rules));
  }
  return {
    receiver: "",
    groupKey: "poll",
    truncatedAlerts: 0,
    alerts: found.flatMap((one) => one.alerts),
    unreadable: [...unreadable, ...found.flatMap((one) => one.unreadable)],
  };
}

/** Whether no Alertmanager holds an alert. What was asked for before may have left it out, when routes or triggers were changed. */
async function isGone({ alert }: OpenAlert, reached: readonly View[], drain: AbortSignal): Promise<boolean> {
  for (const { alertmanager } of reached) {
    const held = await alertmanager.alerts(drain, { labels: alert.labels });
    if (held.kind === "unavailable") return false;
    if (held.unreadable.some(({ fingerprint }) => fingerprint === alert.fingerprint || fingerprint === "")) return false;
    if (held.alerts.some((one) => one.alert.fingerprint === alert.fingerprint)) return false;
  }
  return true;
}

function reportCorrection({ publish, log }: PollOptions, found: "missed" | "resolved", count: number): void {
  publish({ kind: "poll_corrected", found, count });
  log.warn({ found, count }, "The poll of Alertmanager found what no webhook had reported.");
}

/** What one Alertmanager holds. */
interface View {
  readonly name: string;
  readonly alertmanager: PolledAlertmanager;
  readonly alerts: readonly StandingAlert[];
  readonly unreadable: readonly UnreadableAlert[];
  readonly status: AlertmanagerStatus | undefined;
}

async function ask(alertmanager: PolledAlertmanager, options: PollOptions): Promise<View | undefined> {
  const { drain, log } = options;
  const { name } = alertmanager;
  const status = await alertmanager.status(drain);
  const polled = await askNarrowly(alertmanager, status?.receivers ?? [], options);
  if (polled.kind === "alerts") return { name, alertmanager, alerts: polled.alerts, unreadable: polled.unreadable, status };
  if (!drain.aborted) log.warn({ alertmanager: name, reason: polled.reason }, "An Alertmanager could not be asked for its alerts.");
  return undefined;
}

/** By the receivers that call us; where they are not known, or have too many alerts, by each trigger. */
async function askNarrowly(
  alertmanager: PolledAlertmanager,
  receivers: readonly string[],
  { drain, triggers }: PollOptions,
): Promise<StandingAlerts> {
  if (receivers.length > 0) {
    const polled = await alertmanager.alerts(drain, { receivers });
    if (polled.kind === "alerts" || polled.tooLarge !== true) return polled;
  }
  const questions = new Map(triggers().map((matchers) => [JSON.stringify(matchers), { matchers, receivers }]));
  if (questions.size === 0 || questions.size > maxQuestions) return alertmanager.alerts(drain);
  const alerts = new Map<string, StandingAlert>();
  const unreadable = new Map<string, UnreadableAlert>();
  for (const question of questions.values()) {
    const polled = await alertmanager.alerts(drain, question);
    if (polled.kind === "unavailable") return polled;
    for (const one of polled.alerts) alerts.set(one.alert.fingerprint, one);
    for (const one of polled.unreadable) unreadable.set(keyOf(one), one);
  }
  return { kind: "alerts", alerts: [...alerts.values()], unreadable: [...unreadable.values()] };
}
