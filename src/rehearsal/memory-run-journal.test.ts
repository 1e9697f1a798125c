import { describeRunJournal } from "../../test/contracts/describe-run-journal.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMemoryRunJournal } from "./memory-run-journal.ts";

describeRunJournal("memory", async () => {
  const ledger = createMemoryRunJournal(createFakeClock());
  return {
    ledger,
    other: ledger.asWorker(),
    create: async (runId, request) => ledger.create(runId, request),
    log: async (name) => ledger.log(name),
    journal: async (runId) => ledger.journal(runId),
    notice: async (runId, notice) => ledger.notice(runId, notice),
    join: async (runId, _request, why) => ledger.join(runId, why),
    expireLease: async (runId) => ledger.expireLease(runId),
    freeze: async (freeze) => ledger.freeze(freeze),
    unfreeze: async (scope) => ledger.unfreeze(scope),
    close: async () => undefined,
  };
});
