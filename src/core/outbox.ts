import type { Instant } from "./clock.ts";
import { sha256 } from "./json.ts";
import type { LinkedQuestion } from "./question-link.ts";

/** What a mail will say. A review is composed from the run's journal at the moment of sending, a message is sent as it stands. */
export type MailContent =
  | { readonly kind: "review"; readonly runId: string }
  | {
      readonly kind: "message";
      readonly runId: string;
      readonly subject: string;
      readonly text: string;
      /** The question that the message is about; the link to its page gets its token when the message is sent. */
      readonly link?: LinkedQuestion;
      /** Number of the step that the message is about, from 1. */
      readonly step?: number;
      /** The group of questions that the message is about; the plans of its runs are added when the message is sent. */
      readonly group?: string;
    };

/** One mail that must go out, kept until it was sent or given up. */
export interface OutboxRow {
  /** Deterministic: the same run and step always put the same row. */
  readonly key: string;
  /** Name of a configured group; addresses are looked up at the moment of sending. */
  readonly to: string;
  /** Id of one target of the group, e.g. `slack/ops`; absent: its mail addresses. */
  readonly target?: string;
  readonly content: MailContent;
  readonly putAt: Instant;
}

/** The lane of everything that the mail server takes. */
export const mailLane = "mail";

/** Where a row waits: rows of one lane are delivered one after the other, and no lane waits for another. */
export function laneOf({ to, target }: Pick<OutboxRow, "to" | "target">): string {
  return target === undefined ? mailLane : `${to}/${target}`;
}

/** A row that a sender holds until `leaseUntil`. */
export interface ClaimedMail {
  readonly row: OutboxRow;
  /** The lane that it was claimed from. */
  readonly lane: string;
  /** Deliveries tried before this one. */
  readonly attempts: number;
  /** Proves that the row is still held by this claim. */
  readonly token: string;
}

/** What became of one delivery. */
export type MailSettlement =
  | { readonly kind: "sent"; readonly at: Instant; readonly messageId: string }
  | { readonly kind: "retry"; readonly at: Instant; readonly dueAt: Instant; readonly error: string }
  /** Composing was not possible yet (the run goes on); it does not count as an attempt. */
  | { readonly kind: "later"; readonly at: Instant; readonly dueAt: Instant }
  | { readonly kind: "gave_up"; readonly at: Instant; readonly error: string };

/** How the outbox stands; for metrics and for `runbookd doctor`. */
export interface OutboxStatus {
  readonly waiting: number;
  readonly gaveUp: number;
  /** When the oldest mail that still waits was put. */
  readonly oldestPutAt?: Instant;
}

/** Where one row stands; what a person and the report of a step see. */
export type MailState =
  | { readonly state: "waiting"; readonly attempts: number; readonly error?: string }
  | { readonly state: "sent"; readonly at: Instant; readonly messageId: string }
  | { readonly state: "gave_up"; readonly at: Instant; readonly error: string };

/** Mails that wait to be sent. A crash between sending and `settle` sends the same Message-ID again; nothing is lost. */
export interface Outbox {
  /** Idempotent by key: the first row stays. */
  put(row: OutboxRow): Promise<{ readonly put: boolean }>;
  /** Lanes in which a row waits or may wait. */
  lanes(): Promise<readonly string[]>;
  /** The earliest due row of a lane, leased to the caller, or undefined when none is due. */
  claim(lane: string, now: Instant, leaseMs: number): Promise<ClaimedMail | undefined>;
  /** False when the lease was lost before: another process settles it. */
  settle(claimed: ClaimedMail, settlement: MailSettlement): Promise<boolean>;
  find(key: string): Promise<MailState | undefined>;
  status(): Promise<OutboxStatus>;
}

/** The Message-ID of a row: the same for every delivery of it, so that a mail that arrives twice shows as one. */
export function messageIdOf(key: string, domain: string): string {
  return `<${sha256(key).slice(0, 32)}.runbookd@${domain}>`;
}

/** A mail as it goes out. Addresses come from configuration only. */
export interface Mail {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  readonly messageId: string;
}

/** What the mail server said. `retry` is false when a repetition cannot succeed (5xx). */
export type MailDelivery =
  | { readonly kind: "sent"; readonly refused: readonly string[] }
  | { readonly kind: "failed"; readonly retry: boolean; readonly error: string };

/** Hands mails to a mail server. Never rejects. */
export interface MailSender {
  /** Gives up, with a failure that is worth a retry, once `signal` is aborted. */
  send(mail: Mail, signal: AbortSignal): Promise<MailDelivery>;
}
