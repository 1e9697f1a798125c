import { describeTicketStore } from "../contracts/describe-ticket-store.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createMemoryTickets } from "./memory-tickets.ts";

describeTicketStore("memory", async () => {
  const clock = createFakeClock();
  return { clock, store: createMemoryTickets(clock) };
});
