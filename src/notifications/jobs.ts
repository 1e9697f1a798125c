import { type Clock, within } from "../core/clock.ts";
import { dayMs, hourMs } from "../core/duration.ts";
import type { Log } from "../core/log.ts";
import type { Notification, NotificationDelivery, NotificationTarget, Notifiers } from "../core/notification-target.ts";
import {
  type ClaimedMail,
  type Mail,
  type MailSender,
  type MailSettlement,
  mailLane,
  messageIdOf,
  type Outbox,
  type OutboxRow,
} from "../core/outbox.ts";
import { runPeriodically } from "../core/run-periodically.ts";
import type { StoreGate } from "../core/store-gate.ts";
import type { WorkerHandle } from "../core/worker-handle.ts";
import type { Composer } from "../reports/create-composer.ts";
import type { Recipients } from "./recipients.ts";

/** How long to wait between deliveries that failed; milliseconds. */
export interface MailTimeouts {
  /** After the first failure; it doubles with every further one. */
  readonly firstMs: number;
  readonly maxMs: number;
  /** Counted from when the mail was put; then it is given up, visibly. */
  readonly giveUpAfterMs: number;
}

/** A minute, doubling up to an hour, for three days. */
export const defaultTimeouts: MailTimeouts = { firstMs: 60_000, maxMs: hourMs, giveUpAfterMs: 3 * dayMs };

/** What the sender of mails works with. */
export interface ReportWorkerDeps {
  readonly outbox: Outbox;
  /** Absent: no mail server is configured, and mails wait in the outbox. */
  readonly sender: MailSender | undefined;
  readonly notifiers: Notifiers;
  readonly composer: Pick<Composer, "compose">;
  readonly recipients: Recipients;
  readonly clock: Clock;
  readonly log: Log;
}

/** Settings of the sender of mails. */
export interface ReportWorkerOptions {
  /** Between two looks at an outbox with nothing due. */
  readonly everyMs: number;
  /** Aborted when the process wants to stop; a mail in hand is finished. */
  readonly drain: AbortSignal;
  /** Nothing is delivered while it is not fit: what was delivered could not be recorded. */
  readonly store?: Pick<StoreGate, "isFit">;
  readonly timeouts?: MailTimeouts;
  readonly limits?: DeliveryLimits;
}

/** What bounds one delivery; milliseconds. */
export interface DeliveryLimits {
  /** The most that it may take as a whole, however busy the receiver keeps the connection. */
  readonly deliveryMs: number;
  /** Longer than that; should a process die in a delivery, another sends the same Message-ID again. */
  readonly leaseMs: number;
}

/** Between two looks at mails that have waited too long for a server. */
const unconfiguredIntervalMs = 60_000;

/** Half a minute, and a minute. */
export const deliveryLimits: DeliveryLimits = { deliveryMs: 30_000, leaseMs: 60_000 };

/**
 * Sends what is due until it is drained: one notification after the other to each target, and every target in a lane of its own, so that a slow one
 * delays no other. Runs never wait for it; `close` waits for the deliveries in progress.
 */
export function startReportWorker(deps: ReportWorkerDeps, options: ReportWorkerOptions): WorkerHandle {
  const { outbox, clock, log } = deps;
  let nextGiveUpAt = clock.monotonic();
  const { everyMs: intervalMs, drain, timeouts = defaultTimeouts, limits = deliveryLimits, store } = options;
  const isFit = (): boolean => store?.isFit() !== false;
  const closing = new AbortController();
  const signal = AbortSignal.any([drain, closing.signal]);
  const busy = new Map<string, Promise<void>>();
  const empty = async (lane: string): Promise<void> => {
    try {
      while (!signal.aborted && isFit() && (await deliverNext(deps, lane, { everyMs: intervalMs, timeouts, limits })));
    } catch (error) {
      log.warn({ work: "outbox", lane, error }, "Background work failed; it is repeated at the next interval.");
    } finally {
      busy.delete(lane);
    }
  };
  const looking = runPeriodically({ name: "outbox", intervalMs, clock, log, signal }, async () => {
    if (!isFit()) return;
    // Mails that nobody here can send are not touched: a process with a mail server takes them, or they are given up in the end.
    if (deps.sender === undefined && clock.monotonic() >= nextGiveUpAt) {
      nextGiveUpAt = clock.monotonic() + unconfiguredIntervalMs;
      await giveUpUnsendable(deps, timeouts.giveUpAfterMs);
    }
    for (const lane of await outbox.lanes()) {
      if (signal.aborted || busy.has(lane) || (lane === mailLane && deps.sender === undefined)) continue;
      busy.set(lane, empty(lane));
    }
  });
  return {
    async close() {
      closing.abort();
      await looking.close();
      await Promise.all(busy.values());
    },
  };
}

/** Gives up the mails that were put too long ago while no mail server was configured. */
export async function giveUpUnsendable({ outbox, clock, log }: ReportWorkerDeps, giveUpAfterMs: number): Promise<void> {
  const at = clock.now();
  const settlement = { kind: "gave_up", at, error: "no mail server is configured, for too long" } as const;
  for (;;) {
    const claimed = await outbox.claim(mailLane, at - giveUpAfterMs, deliveryLimits.leaseMs);
    if (claimed === undefined) return;
    if (await outbox.settle(claimed, settlement)) logSettlement(claimed.row, settlement, log);
  }
}

/** How a delivery is repeated. */
interface Repeats {
  /** Between two looks at a review whose run goes on; milliseconds. */
  readonly everyMs: number;
  readonly timeouts: MailTimeouts;
  readonly limits: DeliveryLimits;
}

/** Delivers what is due first in a lane. False when nothing was. */
export async function deliverNext(deps: ReportWorkerDeps, lane: string, repeats: Repeats): Promise<boolean> {
  const claimed = await deps.outbox.claim(lane, deps.clock.now(), repeats.limits.leaseMs);
  if (claimed === undefined) return false;
  const settlement = await deliver(claimed, deps, repeats);
  if (!(await deps.outbox.settle(claimed, settlement))) return true;
  logSettlement(claimed.row, settlement, deps.log);
  return true;
}

function logSettlement({ key, content, to, target }: OutboxRow, settlement: MailSettlement, log: Log): void {
  const ofRun = log.ofRun(content.runId);
  switch (settlement.kind) {
    case "sent":
      return ofRun.info({ key, mail: content.kind, to, target }, "A notification was sent.");
    case "retry":
      return ofRun.warn(
        { key, to, target, error: settlement.error, dueAt: settlement.dueAt },
        "A notification could not be sent; it waits.",
      );
    case "gave_up":
      return ofRun.error({ key, to, target, error: settlement.error }, "A notification was given up.");
    case "later":
      return undefined;
  }
}

async function deliver(claimed: ClaimedMail, deps: ReportWorkerDeps, { everyMs, timeouts, limits }: Repeats): Promise<MailSettlement> {
  const { row, attempts } = claimed;
  const { clock } = deps;
  const at = clock.now();
  const recipient = recipientOf(row, deps);
  if (typeof recipient === "string") return { kind: "gave_up", at, error: recipient };
  const composed = await deps.composer.compose(row, at);
  if (composed.kind === "later") return { kind: "later", at, dueAt: at + everyMs };
  if (composed.kind === "gone") return { kind: "gave_up", at, error: composed.reason };
  const { kind: _mail, page, ...parts } = composed;
  const messageId = messageIdOf(row.key, deps.recipients.domain);
  const delivery = await inTime(deps.clock, limits, async (signal) =>
    recipient.kind === "mail"
      ? sendMail({ ...parts, to: recipient.to, messageId }, { row, deps, signal })
      : notify(recipient, notificationOf(row, { ...parts, ...(page !== undefined && { page }) }), deps.notifiers),
  );
  if (delivery.kind === "sent") return { kind: "sent", at: clock.now(), messageId };
  if (!delivery.retry) return { kind: "gave_up", at, error: delivery.error };
  const dueAt = clock.now() + Math.max(retryDelayMs(attempts, timeouts), delivery.retryAfterMs ?? 0);
  if (dueAt - row.putAt > timeouts.giveUpAfterMs) return { kind: "gave_up", at, error: `${delivery.error}, for too long` };
  return { kind: "retry", at, dueAt, error: delivery.error };
}

/** Ends a delivery at its limit, whether or not what makes it gives up then. */
async function inTime(
  clock: Clock,
  { deliveryMs }: DeliveryLimits,
  deliver: (signal: AbortSignal) => Promise<NotificationDelivery>,
): Promise<NotificationDelivery> {
  const over = new AbortController();
  try {
    return await within(clock, deliveryMs, deliver(over.signal));
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "TimeoutError")) throw error;
    over.abort();
    return { kind: "failed", retry: true, error: `not done after ${deliveryMs / 1000} s` };
  }
}

/** Looked up at the moment of sending; a text says why there is nobody. */
function recipientOf(
  { to: group, target: id }: OutboxRow,
  { recipients }: ReportWorkerDeps,
): NotificationTarget | { readonly kind: "mail"; readonly to: readonly string[] } | string {
  if (id !== undefined) return recipients.target(group, id) ?? `the group "${group}" has no target "${id}"`;
  const to = recipients.addresses(group) ?? [];
  return to.length === 0 ? `there is no configured group "${group}"` : { kind: "mail", to };
}

async function sendMail(
  mail: Mail,
  { row, deps, signal }: { readonly row: OutboxRow; readonly deps: ReportWorkerDeps; readonly signal: AbortSignal },
): Promise<NotificationDelivery> {
  const { sender, log } = deps;
  if (sender === undefined) throw new Error("There is no mail server to hand a mail to.");
  const delivery = await sender.send(mail, signal);
  if (delivery.kind === "sent" && delivery.refused.length > 0)
    log.ofRun(row.content.runId).warn({ to: row.to, count: delivery.refused.length }, "The mail server refused some recipients.");
  return delivery;
}

function notificationOf(
  { key, to, content, putAt }: OutboxRow,
  { subject, text, page }: Pick<Notification, "subject" | "text" | "page">,
): Notification {
  return { key, about: content.kind, group: to, runId: content.runId, subject, text, ...(page !== undefined && { page }), putAt };
}

async function notify(target: NotificationTarget, notification: Notification, notifiers: Notifiers): Promise<NotificationDelivery> {
  switch (target.kind) {
    case "webhook":
      return notifiers.webhook.send(target, notification);
    case "slack":
      return notifiers.slack.send(target, notification);
    case "pagerduty":
      return notifiers.pagerduty.send(target, notification);
  }
}

/** Milliseconds before the next delivery, after `attempts` failed ones before this. */
export function retryDelayMs(attempts: number, { firstMs, maxMs }: MailTimeouts): number {
  return Math.min(maxMs, firstMs * 2 ** attempts);
}
