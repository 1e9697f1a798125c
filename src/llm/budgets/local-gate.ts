import type { AdmissionGate } from "../../../packages/sdk/src/wire/admissions.ts";
import type { EventSink } from "../../core/event.ts";
import type { BudgetLedger } from "./budget-ledger.ts";
import type { TicketEnded } from "./workload-event.ts";

/** The gate for workers in runbookd's own process: the ledger itself; the tickets that it ends are published. */
export function createLocalGate({
  ledger,
  publish,
}: {
  readonly ledger: BudgetLedger;
  readonly publish: EventSink<TicketEnded>;
}): AdmissionGate {
  return {
    admit: (request) => ledger.admit(request),
    extend: (budget, leaseId) => ledger.extend(budget, leaseId),
    async release(release) {
      const ticket = await ledger.finish(release);
      if (ticket !== undefined) publish({ kind: "ticket_ended", ticket });
    },
  };
}
