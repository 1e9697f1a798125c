import type { AdmissionGate } from "../../../packages/sdk/src/wire/admissions.ts";
import type { BudgetLedger } from "./budget-ledger.ts";
import type { WorkloadObserver } from "./workload-observer.ts";

/** The gate for workers in runbookd's own process: the ledger itself, with ended tickets told to metrics. */
export function createLocalGate({
  ledger,
  observer,
}: {
  readonly ledger: BudgetLedger;
  readonly observer: WorkloadObserver;
}): AdmissionGate {
  return {
    admit: (request) => ledger.admit(request),
    extend: (budget, leaseId) => ledger.extend(budget, leaseId),
    async release(release) {
      const finished = await ledger.finish(release);
      if (finished !== undefined) observer.finished(finished);
    },
  };
}
