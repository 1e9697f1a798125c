import { isDeepStrictEqual } from "node:util";
import type { BudgetLedger, FinishedTicket } from "../../src/llm/budgets/budget-ledger.ts";
import { noLimits } from "../../src/llm/budgets/controls.ts";
import type { TicketStore } from "../../src/llm/tickets/ticket.ts";
import type { TicketFastPath } from "../../src/llm/tickets/ticket-fast-path.ts";

/** The fast path over tickets and a ledger in memory. It begins under open controls without limits, and no ticket of a batch. */
export function createMemoryFastPath(
  tickets: Pick<TicketStore, "get" | "claim" | "write">,
  ledger: BudgetLedger,
  ended: (ticket: FinishedTicket) => void,
): TicketFastPath {
  return {
    async begin({ id, budget, queue, batchId }, holder) {
      const [ticket, state, running] = await Promise.all([tickets.get(id), ledger.read(budget), ledger.running(budget)]);
      if (ticket === undefined || state === undefined || batchId !== undefined) return undefined;
      if (ticket.budget !== budget || ticket.queue !== queue || ticket.batchId !== undefined || ticket.stage !== "") return undefined;
      const isPlain = ticket.state === "queued" || (ticket.state === "waiting" && !["recovery", "worker_lost"].includes(ticket.reason));
      if (!isPlain || running.some(({ ticketId }) => ticketId === id)) return undefined;
      const { controls, spentMicroUsd, committedMicroUsd } = state;
      const asked = spentMicroUsd + committedMicroUsd + ticket.estimateMicroUsd;
      if (controls.gate !== "open" || !isDeepStrictEqual(controls.limits, noLimits) || asked > state.budget.limitMicroUsd) return undefined;
      await tickets.claim(id, holder);
      const { attempt, turn, estimateMicroUsd } = ticket;
      const answer = await ledger.admit({ ticketId: id, budget, queue, attempt, turn, estimateMicroUsd });
      if (answer.kind !== "admitted") return undefined;
      await tickets.write(id, holder, { state: "running", reason: "" });
      const begun = await tickets.get(id);
      return begun === undefined ? undefined : { ticket: begun, answer };
    },
    async end(ticket, holder, { state, reason, change, unused = false, failureClass }) {
      const { id: ticketId, budget, queue, variant, kind, batchId } = ticket;
      if (!(await tickets.write(ticketId, holder, { ...change, state, reason }))) return false;
      const about = { ...(batchId !== undefined && { batchId }), ...(failureClass !== undefined && { failureClass }) };
      const finished = await ledger.finish({ ticketId, budget, queue, variant, kind, outcome: state, unused, ...about });
      if (finished !== undefined) ended(finished);
      return true;
    },
  };
}
