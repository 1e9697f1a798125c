import { assignments, standingText, type Assignment } from "./assignments.ts";
import { checkAnswer, retriesPerTurn, type Release } from "./check-answer.ts";
import type { EvidenceLog } from "./evidence-log.ts";
import type { Message, ModelClient, ModelReply, ModelRequest } from "./model-client.ts";
import type { SavedWork, WorkStore } from "./saved-work.ts";
import type { Ticket } from "./tickets.ts";

/** What happened in one call of the model, for whoever counts the money. */
export interface CallReport {
  readonly ticket: Ticket;
  readonly assignment: Assignment;
  readonly attempt: number;
  readonly turn: number;
  readonly reply: ModelReply;
}

/** What the application needs while it works on one ticket. */
export interface WorkPorts {
  readonly model: ModelClient;
  readonly store: WorkStore;
  readonly evidence: EvidenceLog;
  /** The release that is out now; it may change while a ticket is worked on. */
  readonly release: () => Release;
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Tells what a call has cost. */
  report(report: CallReport): Promise<void>;
  /** Asked between two turns, with the work saved: undefined to go on, else why not. */
  mayGoOn(work: SavedWork): Promise<string | undefined>;
}

/** How working on a ticket ended. A stopped ticket goes on later from its saved work. */
export type WorkResult =
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "stopped"; readonly why: string };

function text(value: string): Message["content"] {
  return [{ type: "text", text: value }];
}

function requestFor(ticket: Ticket, assignment: Assignment, work: SavedWork): ModelRequest {
  const task = `Ticket ${ticket.id}: ${ticket.title}\n\n${ticket.body}\n\n${assignment.instruction}`;
  return {
    model: assignment.model,
    max_tokens: assignment.maxTokens,
    system: [{ type: "text", text: standingText(assignment.prompt), cache_control: { type: "ephemeral" } }],
    messages: [{ role: "user", content: text(task) }, ...work.conversation],
    metadata: { user_id: ticket.id },
  };
}

/** What follows from one answer: the next assignment, the same one again, or the ticket's end. */
function afterAnswer(release: Release, assignment: Assignment, work: SavedWork, answer: string): SavedWork | "too many retries" {
  const turns = work.turns + 1;
  const check = checkAnswer(release, assignment, answer);
  if (check.ok) return { ticketId: work.ticketId, done: work.done + 1, attempt: 1, turns, conversation: [] };
  if (work.attempt > retriesPerTurn) return "too many retries";
  const refused: readonly Message[] = [
    { role: "assistant", content: text(answer) },
    { role: "user", content: text(check.complaint) },
  ];
  return { ...work, attempt: work.attempt + 1, turns, conversation: [...work.conversation, ...refused] };
}

/** Works on a ticket from where its saved work stands, one call of the model per turn, and saves after every turn. Rejects only when aborted or when the disk fails. */
export async function workOnTicket(ticket: Ticket, ports: WorkPorts, signal: AbortSignal): Promise<WorkResult> {
  const { evidence, now } = ports;
  let work = ports.store.load(ticket.id);
  let troubles = 0;
  for (let assignment = assignments[work.done]; assignment !== undefined; assignment = assignments[work.done]) {
    const { prompt, operation } = assignment;
    const { attempt } = work;
    evidence.write({ kind: "model_called", at: now(), ticketId: ticket.id, prompt, operation, attempt });
    const reply = await ports.model.ask(requestFor(ticket, assignment, work), signal);
    const outcome = reply.kind === "answer" ? "ok" : reply.outcome;
    evidence.write({ kind: "model_answered", at: now(), ticketId: ticket.id, requestId: reply.requestId, outcome });
    await ports.report({ ticket, assignment, attempt, turn: work.turns, reply });

    if (reply.kind === "answer") {
      troubles = 0;
      const next = afterAnswer(ports.release(), assignment, work, reply.text);
      if (next === "too many retries") return { kind: "failed", why: `${prompt}/${operation}: no answer was accepted in ${attempt} tries` };
      work = next;
      ports.store.save(work);
    } else {
      troubles += 1;
      if (reply.outcome === "spend_limited") return { kind: "stopped", why: reply.message };
      if (reply.retryAfterSeconds === undefined || troubles > 5) return { kind: "failed", why: reply.message };
      await ports.sleep(reply.retryAfterSeconds * 1000, signal);
    }
    if (work.done < assignments.length) {
      const why = await ports.mayGoOn(work);
      if (why !== undefined) return { kind: "stopped", why };
    }
  }
  return { kind: "succeeded" };
}
