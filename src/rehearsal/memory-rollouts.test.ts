import { describeRolloutStore } from "../../test/contracts/describe-rollout-store.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMemoryRollouts } from "./memory-rollouts.ts";

describeRolloutStore("memory", async () => {
  const clock = createFakeClock();
  const store = createMemoryRollouts(clock);
  return {
    store,
    clock,
    expose: async (ticketId, assignments) => store.expose(ticketId, assignments),
    spend: async (ticketId, costMicroUsd) => store.spend(ticketId, costMicroUsd),
    end: async (ticketId, outcome) => store.end(ticketId, outcome),
  };
});
