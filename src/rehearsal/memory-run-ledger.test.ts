import { describeRunLedger } from "../../test/contracts/describe-run-ledger.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMemoryRunLedger } from "./memory-run-ledger.ts";

describeRunLedger("memory", async () => {
  const ledger = createMemoryRunLedger(createFakeClock());
  return {
    ledger,
    other: ledger.asWorker(),
    create: async (runId, request) => ledger.create(runId, request),
    log: async (name) => ledger.log(name),
    journal: async (runId) => ledger.journal(runId),
    notice: async (runId, notice) => ledger.notice(runId, notice),
    expireLease: async (runId) => ledger.expireLease(runId),
    freeze: async (freeze) => ledger.freeze(freeze),
    unfreeze: async (scope) => ledger.unfreeze(scope),
    close: async () => undefined,
  };
});
