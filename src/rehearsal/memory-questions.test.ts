import { describeQuestionStore } from "../../test/contracts/describe-question-store.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMemoryQuestions } from "./memory-questions.ts";
import { createMemoryRunJournal, emptyRunState } from "./memory-run-journal.ts";

describeQuestionStore("memory", async () => {
  const clock = createFakeClock();
  const state = emptyRunState();
  const ledger = createMemoryRunJournal(clock, 6000, state);
  return {
    ledger,
    store: createMemoryQuestions(clock, state),
    create: async (runId) =>
      ledger.create(runId, { runbookId: "contract", runbookSha: "c".repeat(64), mode: "auto", params: {}, source: "manual" }),
    journal: async (runId) => ledger.journal(runId),
    stop: async (runId) => ledger.notice(runId, { stop: { by: "ann", reason: "enough" } }),
    now: () => clock.now(),
    close: async () => undefined,
  };
});
