import { z } from "zod";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import { externalIdSchema } from "../../../../packages/sdk/src/wire/names.ts";
import type { Ticket } from "../../../../packages/sdk/src/wire/tickets.ts";
import { durationParameter } from "../../../actions/parameter-types.ts";
import type { Instant } from "../../../core/clock.ts";
import { StepFailure } from "../../../core/failure.ts";
import type { CheckpointRepository, ListedCheckpoint, Workspace } from "../checkpoint.ts";
import { decideRecovery, type NamedFailure, nameFailure, type RecoveryDecision } from "../recover-ticket.ts";
import type { RecoveryPorts } from "../recovery-ports.ts";
import { parseStagedWork, type StagedWork } from "../staged-work.ts";
import { hasEnded, lostReason, recoveryReason, type StandingTicket } from "../ticket.ts";

/** So many tickets are looked through for those of one queue. */
const maxListedTickets = 500;

/** Tickets that one run takes care of at most. */
export const maxTickets = 5;

/** Tickets by their ids. Empty is refused: empty never means all. */
export function ticketsParameter() {
  return z
    .array(externalIdSchema)
    .min(1)
    .max(maxTickets)
    .meta({ description: `Ids of 1 to ${maxTickets} tickets.` });
}

/** From when on a silent ticket counts as standing. */
export function silentForParameter() {
  return durationParameter("A ticket that told a stage and showed no sign of life for so long stands still.").default("2m");
}

/** What a run is called as the holder of tickets: whoever held them can write nothing more. */
export function recoveryLeaseHolder(runId: string): string {
  return `recovery:${runId}`;
}

/** One ticket with everything that is decided from. */
export interface TicketStatus {
  readonly ticket: Ticket;
  readonly workspace: Workspace | undefined;
  readonly checkpoints: readonly ListedCheckpoint[];
  readonly work: StagedWork;
  readonly failure: NamedFailure;
  readonly decision: RecoveryDecision;
  /** It stands still, is dead, or a recovery has it: nobody works on it. */
  readonly needsRecovery: boolean;
}

/** The repository with the work; throws StepFailure when none is configured. */
export function requireCheckpoints({ checkpoints }: RecoveryPorts): CheckpointRepository {
  if (checkpoints !== undefined) return checkpoints;
  throw new StepFailure({
    reason: "invalid_parameters",
    message: "RUNBOOKD_TICKET_REPOSITORY is not set. Set it to the Git repository whose worktrees tickets use.",
    applied: "no",
  });
}

/** Open tickets of one queue without a sign of life since `before`, longest first. */
export async function standingOf({ store }: RecoveryPorts, queue: string, before: Instant): Promise<readonly StandingTicket[]> {
  return (await store.standing(before, maxListedTickets)).filter((ticket) => ticket.queue === queue);
}

/** Dead tickets of one queue, newest first. */
export async function deadOf({ store }: RecoveryPorts, queue: string): Promise<readonly Ticket[]> {
  const page = await store.list({ state: "dead" }, { limit: maxListedTickets });
  return (page?.items ?? []).filter((ticket) => ticket.queue === queue);
}

/** Looks at one ticket; throws StepFailure when there is none of that id. Pure reads. */
export async function readTicketStatus(id: string, before: Instant, ports: RecoveryPorts): Promise<TicketStatus> {
  const checkpoints = requireCheckpoints(ports);
  const ticket = await ports.store.get(id);
  if (ticket === undefined) throw new StepFailure({ reason: "invalid_parameters", message: `There is no ticket ${id}.`, applied: "no" });
  const standing = (await ports.store.standing(before, maxListedTickets)).some((one) => one.id === id);
  const [workspace, listed] = [await checkpoints.find(id), await checkpoints.list(id)];
  const failure = nameFailure({ ticket, conflicts: workspace?.conflicts ?? [], standing });
  const awaitsRecovery = ticket.state === "waiting" && (ticket.reason === recoveryReason || ticket.reason === lostReason);
  return {
    ticket,
    workspace,
    checkpoints: listed,
    work: parseStagedWork(ticket.saved),
    failure,
    decision: decideRecovery({ failure, ticket, checkpoints: listed }),
    needsRecovery: ticket.state === "dead" || (!hasEnded(ticket.state) && (standing || awaitsRecovery)),
  };
}

/** What people read of one ticket. */
export function pointOf({ ticket, failure, decision, checkpoints, work }: TicketStatus): { readonly [key: string]: Json } {
  return {
    ticket: ticket.id,
    state: ticket.state,
    stage: ticket.stage,
    attempt: ticket.attempt,
    done: work.done.map(({ stage }) => stage),
    failure_class: failure.failureClass,
    evidence: failure.evidence,
    decision: decision.kind,
    why: decision.why,
    checkpoint: checkpoints.at(-1)?.kind === "whole" ? checkpoints.length : null,
    broken: checkpoints.filter(({ kind }) => kind === "broken").length,
  };
}
