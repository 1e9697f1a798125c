import type { CheckpointRepository } from "./checkpoint.ts";
import type { TicketRecovery, TicketStore, TicketWakeQueue } from "./ticket.ts";

/** Tickets that something went wrong with, and the work that they left. */
export interface RecoveryPorts {
  readonly store: TicketRecovery & Pick<TicketStore, "list">;
  /** Absent while nobody said where the work of tickets is. */
  readonly checkpoints: CheckpointRepository | undefined;
  readonly wakeQueue: TicketWakeQueue;
}
