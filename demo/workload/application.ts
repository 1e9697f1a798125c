import type { RunbookdClient } from "../../packages/sdk/src/client.ts";
import type { Release } from "./check-answer.ts";
import type { EvidenceLog } from "./evidence-log.ts";
import type { ModelClient } from "./model-client.ts";
import type { WorkStore } from "./saved-work.ts";
import { type CallReport, type Turn, takeTurn } from "./take-turn.ts";
import { ticketOf } from "./tickets.ts";
import { usageOfResponse } from "./usage-of-response.ts";

/** What the application is made of. */
export interface ApplicationOptions {
  readonly client: Pick<RunbookdClient, "createBatch" | "reportUsage" | "reportChange">;
  readonly model: ModelClient;
  readonly store: WorkStore;
  readonly evidence: EvidenceLog;
  readonly budget: string;
  readonly queue: string;
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Where a turn stands among a ticket's turns; goes into the report of what it cost. */
export interface TurnPlace {
  readonly number: number;
  readonly turn: number;
  readonly attempt: number;
  readonly leaseId: string;
  readonly batchId?: string | undefined;
  readonly signal: AbortSignal;
}

/** The application under care: tickets come in, and each is worked on turn by turn. */
export interface Application {
  /** Hands the next ticket in. */
  submitTicket(): Promise<void>;
  takeTurn(place: TurnPlace): Promise<Turn>;
  /** Puts another release out, from the next answer on. */
  deploy(release: Release): Promise<void>;
}

/** What one more turn costs at most; reserved before it. */
export const turnEstimateMicroUsd = 60_000;

const ticketsPerBatch = 12;

/** An application at release 1.4.0. */
export function createApplication(options: ApplicationOptions): Application {
  const { client, model, store, evidence, budget, queue, now, sleep } = options;
  let release: Release = "1.4.0";
  let tickets = 0;

  const report = (place: TurnPlace, { ticket, assignment, response }: CallReport) => {
    const { batchId, leaseId, attempt, turn } = place;
    client.reportUsage({
      ...usageOfResponse(response, assignment.model, now()),
      operation: assignment.operation,
      prompt: assignment.prompt,
      budget,
      queue,
      ticketId: ticket.id,
      ...(batchId === undefined ? {} : { batchId }),
      leaseId,
      attempt,
      turn,
    });
  };

  return {
    async submitTicket() {
      tickets += 1;
      const { id } = ticketOf(tickets);
      const batch = `batch-${Math.ceil(tickets / ticketsPerBatch)}`;
      // Generous tries are what turns one wrong check into a storm.
      const ticket = { id, payload: { number: tickets }, maxAttempts: 100, estimateMicroUsd: turnEstimateMicroUsd };
      // Tickets come one by one and go on as they come: no group leads, and failures are this scenario's subject.
      await client.createBatch({ id: batch, budget, queue, limits: { pilotTickets: 0, maxFailureRatio: 1 }, tickets: [ticket] });
    },
    takeTurn: (place) =>
      takeTurn(
        ticketOf(place.number),
        { model, store, evidence, release: () => release, now, sleep, report: (call) => report(place, call) },
        place.signal,
      ),
    async deploy(next) {
      release = next;
      evidence.write({ kind: "released", at: now(), release: next });
      await client.reportChange({ kind: "deploy", ref: `release ${next}`, at: now() });
    },
  };
}
