import { type Assignment, assignments, standingText } from "./assignments.ts";
import { checkAnswer, maxRefusals, type Release } from "./check-answer.ts";
import type { EvidenceLog } from "./evidence-log.ts";
import type { Message, ModelClient, ModelRequest, ModelResponse } from "./model-client.ts";
import type { SavedWork, WorkStore } from "./saved-work.ts";
import type { Ticket } from "./tickets.ts";

/** One call of the model, for whoever counts the money. */
export interface CallReport {
  readonly ticket: Ticket;
  readonly assignment: Assignment;
  readonly response: ModelResponse;
}

/** What the application needs for a turn. */
export interface TurnPorts {
  readonly model: ModelClient;
  readonly store: WorkStore;
  readonly evidence: EvidenceLog;
  /** The release that is out now. */
  readonly release: () => Release;
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  report(report: CallReport): void;
}

/** What a turn came to. `done` counts assignments; the work itself is in the store. */
export type Turn =
  | { readonly kind: "continue" | "done"; readonly done: number }
  | { readonly kind: "failed"; readonly done: number; readonly why: string; readonly retry: boolean };

/** Tries of one call while the provider is in trouble. */
const pollTimeouts = 5;

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

async function ask(ticket: Ticket, assignment: Assignment, work: SavedWork, ports: TurnPorts, signal: AbortSignal): Promise<ModelResponse> {
  const { prompt, operation } = assignment;
  for (let tries = 1; ; tries += 1) {
    ports.evidence.write({ kind: "model_called", at: ports.now(), ticketId: ticket.id, prompt, operation, tries: work.refusals + tries });
    const response = await ports.model.ask(requestFor(ticket, assignment, work), signal);
    const outcome = response.kind === "answer" ? "ok" : response.outcome;
    ports.evidence.write({ kind: "model_answered", at: ports.now(), ticketId: ticket.id, requestId: response.requestId, outcome });
    ports.report({ ticket, assignment, response });
    if (response.kind === "answer" || response.retryAfterSeconds === undefined || tries >= pollTimeouts) return response;
    await ports.sleep(response.retryAfterSeconds * 1000, signal);
  }
}

/**
 * Does the ticket's next assignment with one accepted answer, or one refused one, and saves the work before it returns.
 * Rejects only when aborted or when the disk fails.
 */
export async function takeTurn(ticket: Ticket, ports: TurnPorts, signal: AbortSignal): Promise<Turn> {
  const work = ports.store.load(ticket.id);
  const assignment = assignments[work.done];
  if (assignment === undefined) return { kind: "done", done: work.done };
  const response = await ask(ticket, assignment, work, ports, signal);
  if (response.kind === "error") return { kind: "failed", done: work.done, why: response.message, retry: response.outcome !== "error" };

  const check = checkAnswer(ports.release(), assignment, response.text);
  if (check.ok) {
    const done = work.done + 1;
    ports.store.save({ ticketId: ticket.id, done, refusals: 0, conversation: [] });
    return { kind: done < assignments.length ? "continue" : "done", done };
  }
  const refused: readonly Message[] = [
    { role: "assistant", content: text(response.text) },
    { role: "user", content: text(check.complaint) },
  ];
  const refusals = work.refusals + 1;
  ports.store.save({ ...work, refusals, conversation: [...work.conversation, ...refused] });
  const why = `${assignment.prompt}/${assignment.operation}: the answer was refused`;
  return { kind: "failed", done: work.done, why, retry: refusals < maxRefusals };
}
