import { describeAcceptStore } from "../../test/contracts/describe-accept-store.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMemoryAcceptStore } from "./memory-accept-store.ts";

describeAcceptStore("memory", async () => {
  const clock = createFakeClock(Date.UTC(2026, 0, 1));
  const store = createMemoryAcceptStore(clock);
  return {
    store,
    bytes: store,
    now: () => clock.now(),
    runOf: async (runId) => {
      const run = store.runs().find(({ summary }) => summary.id === runId);
      return run === undefined ? undefined : { id: run.summary.id, first: run.journal[0]?.kind ?? "" };
    },
    resolvedOf: async (runId) => store.resolvedOf(runId),
    joinedOf: async (runId) => store.joinedOf(runId).at(-1),
    freeze: async (freeze) => store.freeze(freeze),
    unfreeze: async (scope) => store.unfreeze(scope),
    endRun: async (runId) => store.endRun(runId),
    close: async () => undefined,
  };
});
