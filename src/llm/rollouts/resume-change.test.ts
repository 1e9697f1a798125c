import { expect, it } from "@jest/globals";
import { aModelCatalog } from "../../../test/builders/a-model-catalog.ts";
import { aRollout, aRolloutPlan } from "../../../test/builders/a-rollout.ts";
import { ticketsBetween } from "../../../test/contracts/describe-rollout-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { quietPrometheus } from "../../../test/fakes/quiet-prometheus.ts";
import { createMemoryRollouts } from "../../rehearsal/memory-rollouts.ts";
import { createRolloutSteering } from "./rollout-steering.ts";
import type { ShareControl } from "./share-control.ts";

it("compares more tickets when a person starts a rollout that held because its plan had too few, and accepts what was in doubt", async () => {
  const clock = createFakeClock();
  const store = createMemoryRollouts(clock);
  await store.create(aRollout({ runId: undefined, plan: aRolloutPlan({ plannedTickets: 30, maxTickets: 30 }) }));
  await store.change({ id: "r1", expected: 1, set: { state: "running", step: 0 } });
  for (const ticket of ticketsBetween(0.1, 1, 40)) {
    store.expose(ticket, [{ rollout: "r1", arm: "baseline" }]);
    store.end(ticket, "succeeded");
  }
  store.expose(ticketsBetween(0.3, 0.4, 20).at(-1) ?? "", [{ rollout: "r1", arm: "canary" }]);
  await store.change({ id: "r1", expected: 2, set: { state: "holding" } });
  const control: ShareControl = {
    trialOf: async () => undefined,
    resolve: async () => undefined,
    read: async () => undefined,
    set: async () => undefined,
    rollBack: async () => undefined,
    complete: async () => undefined,
    followers: async () => ({ followers: 0, current: 0 }),
  };
  const steering = createRolloutSteering({
    store,
    controls: { model: control },
    models: aModelCatalog(),
    prometheus: quietPrometheus,
    clock,
  });
  expect(await steering.start("r1", { by: "anna", reason: "look longer" })).toMatchObject({
    kind: "done",
    rollout: {
      state: "running",
      plan: { maxTickets: 70 },
      accepted: { misassigned: 1 },
      decisions: [{ decision: "stay", reason: "released", detail: "look longer", by: "anna" }],
    },
  });
});
