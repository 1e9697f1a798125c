import type { Ticket } from "../../../packages/sdk/src/wire/tickets.ts";
import type { FailureClass } from "./failure-class.ts";
import type { TicketPhase } from "./ticket-phase.ts";

/** What one stage is given. */
export interface PhaseTask {
  readonly ticket: Ticket;
  readonly phase: TicketPhase;
  /** The ticket's workspace; everything in it that is not ignored is kept. */
  readonly folder: string;
  /** 1 for the first try of the ticket. */
  readonly attempt: number;
  /** What was said so far, as the last stage answered it. */
  readonly conversation: string;
  /** The conversation was too long: shorten it before it is sent again. */
  readonly compact: boolean;
  /** What the tests or the reviewer said of the try before; empty when nobody said anything. */
  readonly complaint: string;
  readonly leaseId: string;
  readonly signal: AbortSignal;
  /** A sign of life, at least once a minute while it works. Rejects when the ticket was taken away. */
  heartbeat(): Promise<void>;
}

/** What a stage came to. A failure leaves the workspace as it is. */
export type PhaseResult = (
  | { readonly kind: "done"; readonly conversation: string }
  | {
      readonly kind: "failed";
      readonly conversation: string;
      readonly failureClass: FailureClass;
      readonly reason: string;
      /** Whether another try may help. */
      readonly retry: boolean;
    }
) & {
  /** No request of the stage will be billed; see `TurnResult`. */
  readonly unused?: boolean;
};

/** Whoever does the work of a stage: a function of the application, or a command. What it throws is a failed stage of class `tool_error`. */
export type Implementer = (task: PhaseTask) => Promise<PhaseResult>;
