import type { FinishedTicket } from "../../src/llm/budgets/budget-ledger.ts";
import { contractTimes } from "../contracts/describe-budget-ledger.ts";
import { describeTicketFastPath } from "../contracts/describe-ticket-fast-path.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createMemoryBudgetLedger } from "./memory-budget-ledger.ts";
import { createMemoryFastPath } from "./memory-fast-path.ts";
import { createMemoryTickets } from "./memory-tickets.ts";

describeTicketFastPath("memory", async () => {
  const clock = createFakeClock();
  const store = createMemoryTickets(clock);
  const ledger = createMemoryBudgetLedger({ clock, times: contractTimes });
  const ended: FinishedTicket[] = [];
  return { clock, store, ledger, ended, fastPath: createMemoryFastPath(store, ledger, (ticket) => void ended.push(ticket)) };
});
