import { expect, it } from "@jest/globals";
import { aRollout, aRolloutPlan, aRolloutSubject } from "../../../test/builders/a-rollout.ts";
import { ticketsBetween } from "../../../test/contracts/describe-rollout-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryRollouts } from "../../rehearsal/memory-rollouts.ts";
import { failOverdueTickets } from "./jobs.ts";

it("fails every ticket that passed its deadline, in every rollout and however many there are", async () => {
  const clock = createFakeClock();
  const store = createMemoryRollouts(clock);
  const tickets = ticketsBetween(0, 0.1, 1500);
  for (const [id, route] of [
    ["r1", "implement"],
    ["r2", "review"],
  ] as const) {
    await store.create(aRollout({ id, subject: aRolloutSubject(route) }));
    await store.change({ id, expected: 1, set: { state: "running", step: 0 } });
  }
  for (const ticket of tickets) store.expose(ticket, [{ rollout: "r1", arm: "canary" }]);
  store.expose("T-1", [{ rollout: "r2", arm: "baseline" }]);
  await store.change({ id: "r2", expected: 2, set: { state: "rolled_back" } });
  await clock.advance(aRolloutPlan().deadlineMs + 1);
  await failOverdueTickets({ store, clock }, AbortSignal.abort());
  expect(await store.strata("r1")).toMatchObject([{ canary: { overdue: 0 } }]);
  await failOverdueTickets({ store, clock }, new AbortController().signal);
  expect(await store.strata("r1")).toMatchObject([{ canary: { exposed: 1500, overdue: 1500 } }]);
  expect(await store.strata("r2")).toMatchObject([{ baseline: { overdue: 1 } }]);
});
