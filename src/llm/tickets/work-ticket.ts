import type { AdmissionAnswer, AdmissionGate } from "../../../packages/sdk/src/wire/admissions.ts";
import type { Ticket } from "../../../packages/sdk/src/wire/tickets.ts";
import type { Clock } from "../../core/clock.ts";
import { afterStop } from "../budgets/admission.ts";
import { asFailureClass, classOfReason } from "./failure-class.ts";
import {
  hasEnded,
  lostReason,
  recoveryReason,
  type TicketChange,
  type TicketProcessor,
  type TicketStore,
  type TurnResult,
} from "./ticket.ts";
import type { TicketFastPath, TicketOutcome, TicketPlace } from "./ticket-fast-path.ts";

/** Ports of the ticket runner. */
export interface WorkTicketDeps {
  readonly store: TicketStore;
  readonly gate: AdmissionGate;
  readonly processor: TicketProcessor;
  readonly clock: Clock;
  /** Present where tickets and budgets are in one store; its budget is that of `gate`. */
  readonly fastPath?: TicketFastPath;
}

/** Who works, and until when. */
export interface TicketLease {
  /** Unique for this delivery of the ticket; whoever held it before can write nothing more. */
  readonly holder: string;
  /** How often a worker died with this ticket in hand. */
  readonly losses: number;
  /** Where the ticket belongs, when its job says so. */
  readonly place?: TicketPlace;
  /** Aborted when the worker takes no further turn. */
  readonly drain: AbortSignal;
  /** Aborted when the running turn itself must end. */
  readonly abort: AbortSignal;
}

/** One delivery of a ticket to a worker. */
interface Delivery extends WorkTicketDeps {
  readonly ticketLease: TicketLease;
}

/** What the queue does next. `later`: hand the ticket out again after `afterMs`. `lost`: somebody else has it. */
export type TicketStep =
  | { readonly kind: "ended"; readonly state: Ticket["state"] }
  | { readonly kind: "later"; readonly afterMs: number; readonly reason: string }
  | { readonly kind: "lost" }
  | { readonly kind: "unknown" };

/** How often a ticket looks whether its recovery is over; a recovery also rings. */
const recoveryPollMs = 60_000;

/** A ticket whose worker crashed this many times is moved to `dead`. */
const maxLosses = 10;

/**
 * Works on one ticket until it ends, waits or is lost. The gate is asked before every turn; the work is saved after every turn and before anything else,
 * so a pause, a stop, a crash or a shutdown costs at most the turn that is running. A ticket that told a stage and whose worker vanished in the middle of
 * a turn has work outside of the store that nobody has looked at: it waits for a recovery.
 */
export async function workTicket(ticketId: string, ticketLease: TicketLease, deps: WorkTicketDeps): Promise<TicketStep> {
  const step = await claimAndWork(ticketId, { ...deps, ticketLease });
  if (step.kind !== "lost") return step;
  // A recovery took and returned the ticket while we still held its only queue job, so its wake-up was lost; re-enqueue it.
  const now = await deps.store.get(ticketId);
  return now?.state === "queued" ? { kind: "later", afterMs: 0, reason: "it was taken away and given back" } : step;
}

async function claimAndWork(ticketId: string, delivery: Delivery): Promise<TicketStep> {
  const { ticketLease, store, gate, fastPath } = delivery;
  const { place, losses, holder, drain } = ticketLease;
  if (fastPath !== undefined && place !== undefined && losses <= maxLosses && !drain.aborted) {
    const begun = await fastPath.begin({ id: ticketId, ...place }, holder);
    if (begun !== undefined) return workTurns(begun.ticket, begun.answer, delivery);
  }
  const claimed = await store.claim(ticketId, ticketLease.holder);
  if (claimed === undefined) return { kind: "unknown" };
  if (hasEnded(claimed.state)) return confirmEnd(claimed, gate);
  if (claimed.state === "waiting" && (claimed.reason === recoveryReason || claimed.reason === lostReason))
    return { kind: "later", afterMs: recoveryPollMs, reason: claimed.reason };
  if (claimed.state === "running" && claimed.stage !== "")
    return putBack(claimed, { state: "waiting", reason: lostReason, afterMs: recoveryPollMs }, delivery);
  // Its last worker vanished during a turn that is now begun again: what it had asked for may be billed without a report.
  if (claimed.state === "running") await gate.release({ ticketId, budget: claimed.budget, queue: claimed.queue });
  if (ticketLease.losses > maxLosses) return end(claimed, { state: "dead", reason: "worker_lost" }, delivery);

  const admission = await admitTurn(claimed, delivery);
  return admission.kind === "admitted" ? workTurns(claimed, admission, delivery) : admission;
}

type Admitted = AdmissionAnswer & { readonly kind: "admitted" };

/** Asks the gate for the next turn, and lets the ticket run; or what the queue does next instead. */
async function admitTurn(ticket: Ticket, delivery: Delivery): Promise<Admitted | TicketStep> {
  const { ticketLease, store, gate } = delivery;
  if (ticketLease.drain.aborted) return putBack(ticket, { state: "queued", reason: "the worker is shutting down", afterMs: 0 }, delivery);
  const { id, budget, queue, batchId, turn, attempt, estimateMicroUsd } = ticket;
  const batch = batchId === undefined ? {} : { batchId };
  const answer = await gate.admit({ ticketId: id, budget, queue, ...batch, turn, attempt, estimateMicroUsd });
  if (answer.kind === "wait") return putBack(ticket, { state: "waiting", reason: answer.reason, afterMs: answer.retryAfterMs }, delivery);
  if (answer.kind === "stop") {
    const { reason } = answer;
    const state = afterStop(reason);
    if (state === "waiting") return putBack(ticket, { state, reason, afterMs: answer.retryAfterMs }, delivery);
    return end(ticket, { state, reason }, delivery);
  }
  if (await store.write(id, ticketLease.holder, { state: "running", reason: "" })) return answer;
  // Cancelled between the two: the lease that was just taken goes back at once instead of when it expires.
  const now = await store.get(id);
  return now !== undefined && hasEnded(now.state) ? confirmEnd(now, gate, { unused: true }) : { kind: "lost" };
}

/** Does turn after turn of a ticket that runs, until it ends, waits or is lost. */
async function workTurns(first: Ticket, admitted: Admitted, delivery: Delivery): Promise<TicketStep> {
  const { ticketLease, store, gate } = delivery;
  let ticket = first;
  for (let answer = admitted; ; ) {
    const result = await doTurn(ticket, answer, delivery);
    const next = afterTurn(ticket, result);
    if (next.kind === "end") return end(ticket, next, delivery);
    const { id, budget, queue } = ticket;
    if (!(await store.write(id, ticketLease.holder, next.change))) return { kind: "lost" };
    if (result.unused === true) await gate.release({ ticketId: id, budget, queue, unused: true });
    ticket = { ...ticket, ...next.change };
    const admission = await admitTurn(ticket, delivery);
    if (admission.kind !== "admitted") return admission;
    answer = admission;
  }
}

/** What follows from a turn. Pure. */
function afterTurn(
  ticket: Ticket,
  result: TurnResult,
):
  | { readonly kind: "go_on"; readonly change: TicketChange }
  | ({ readonly kind: "end"; readonly state: "succeeded" | "failed" | "dead"; readonly change: TicketChange } & Pick<
      TicketOutcome,
      "reason" | "unused"
    >) {
  const saved = { saved: result.saved, turn: ticket.turn + 1 };
  const { unused = false } = result;
  switch (result.kind) {
    case "continue":
      return { kind: "go_on", change: { ...saved, estimateMicroUsd: result.estimateMicroUsd } };
    case "done":
      return { kind: "end", state: "succeeded", reason: "", change: saved, unused };
    case "failed": {
      const failureClass = asFailureClass(result.failureClass ?? "");
      const reason = (failureClass === undefined ? result.reason : `${failureClass}: ${result.reason}`).slice(0, 300);
      const recorded = { ...saved, ...(failureClass === undefined ? {} : { failures: [...ticket.failures, failureClass].slice(-20) }) };
      if (!result.retry) return { kind: "end", state: "failed", reason, change: recorded, unused };
      if (ticket.attempt >= ticket.maxAttempts) return { kind: "end", state: "dead", reason, change: recorded, unused };
      const change = { ...recorded, attempt: ticket.attempt + 1, estimateMicroUsd: result.estimateMicroUsd, reason };
      return { kind: "go_on", change };
    }
  }
}

/** Runs the application's code, and keeps the lease while it takes long. What it throws is a failed try on the work that was saved before. */
async function doTurn(ticket: Ticket, lease: AdmissionAnswer & { readonly kind: "admitted" }, delivery: Delivery): Promise<TurnResult> {
  const { ticketLease, store, processor } = delivery;
  const over = new AbortController();
  const lost = new AbortController();
  const { leaseId, leaseMs } = lease;
  const renewal = renewLease({ ticketId: ticket.id, budget: ticket.budget, leaseId, leaseMs }, { over: over.signal, lost }, delivery);
  try {
    const { turn, attempt, saved } = ticket;
    const heartbeat = async (phase: string) => {
      if (!(await store.write(ticket.id, ticketLease.holder, { stage: phase.slice(0, 40) }))) throw new Error("The ticket was taken away.");
    };
    return await processor(ticket, {
      turn,
      attempt,
      saved,
      leaseId,
      signal: AbortSignal.any([ticketLease.abort, lost.signal]),
      heartbeat,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "failed", saved: ticket.saved, reason, retry: true, estimateMicroUsd: ticket.estimateMicroUsd };
  } finally {
    over.abort();
    await renewal;
  }
}

/** The admission under which a turn of a ticket runs. */
interface TurnLease {
  readonly ticketId: string;
  readonly budget: string;
  readonly leaseId: string;
  readonly leaseMs: number;
}

async function renewLease(
  { ticketId, budget, leaseId, leaseMs }: TurnLease,
  { over, lost }: { readonly over: AbortSignal; readonly lost: AbortController },
  { gate, clock, store }: WorkTicketDeps,
): Promise<void> {
  for (;;) {
    try {
      await clock.sleep(leaseMs / 3, over);
      await gate.extend(budget, leaseId);
      // A turn that hangs never hears that its ticket is somebody else's; what it still does would be done to their work.
      const now = await store.get(ticketId);
      if (now?.state === "waiting" && now.reason === recoveryReason) lost.abort(new Error("The ticket was taken away."));
    } catch {
      // Over, or the gate cannot be asked now; the next round tries again, and an expired lease only gives its reservation back.
      if (over.aborted) return;
    }
  }
}

async function putBack(
  ticket: Ticket,
  { state, reason, afterMs }: { readonly state: "queued" | "waiting"; readonly reason: string; readonly afterMs: number },
  { store, gate, ticketLease }: Delivery,
): Promise<TicketStep> {
  if (!(await store.write(ticket.id, ticketLease.holder, { state, reason }))) return { kind: "lost" };
  await gate.release({ ticketId: ticket.id, budget: ticket.budget, queue: ticket.queue });
  return { kind: "later", afterMs, reason };
}

/** A sentence is no class; only the gate's reasons and our own words become one. */
function failureClassOf(reason: string): { readonly failureClass?: string } {
  const word = classOfReason(reason) ?? reason;
  return /^[a-z_]{1,40}$/.test(word) ? { failureClass: word } : {};
}

async function end(
  ticket: Ticket,
  { state, reason, change, unused = false }: Omit<TicketOutcome, "failureClass">,
  { store, gate, ticketLease, fastPath }: Delivery,
): Promise<TicketStep> {
  if (fastPath !== undefined) {
    const outcome = { state, reason, ...(change !== undefined && { change }), unused, ...failureClassOf(reason) };
    return (await fastPath.end(ticket, ticketLease.holder, outcome)) ? { kind: "ended", state } : { kind: "lost" };
  }
  if (!(await store.write(ticket.id, ticketLease.holder, { ...change, state, reason }))) return { kind: "lost" };
  return confirmEnd({ ...ticket, state, reason }, gate, { unused });
}

/** Tells the gate that the ticket has ended; asked again after a crash in between, which counts nothing twice. */
async function confirmEnd(ticket: Ticket, gate: AdmissionGate, lease: { readonly unused?: boolean } = {}): Promise<TicketStep> {
  const { id: ticketId, budget, queue, variant, state, reason, kind, batchId } = ticket;
  if (state === "succeeded" || state === "failed" || state === "dead" || state === "cancelled" || state === "quarantined") {
    const failureClass = failureClassOf(reason);
    const batch = batchId === undefined ? {} : { batchId };
    await gate.release({ ticketId, budget, queue, variant, kind, ...batch, outcome: state, ...failureClass, ...lease });
  }
  return { kind: "ended", state };
}
