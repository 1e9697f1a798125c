import { expect, it } from "@jest/globals";
import { createIntake } from "../src/alerts/create-intake.ts";
import type { ReceivedAlert } from "../src/alerts/notification.ts";
import { createUlids } from "../src/core/ulid.ts";
import { cooldown } from "../src/guardrails/cooldown.ts";
import { createMemoryAcceptStore } from "../src/rehearsal/memory-accept-store.ts";
import { aRunbook, aStep } from "./builders/a-runbook.ts";
import { createFakeClock } from "./fakes/fake-clock.ts";

const second = 1000;
const minute = 60 * second;

it("an alert that comes and goes every ten seconds for half an hour starts at most three runs (W06)", async () => {
  const clock = createFakeClock(Date.UTC(2026, 10, 23, 6));
  const store = createMemoryAcceptStore(clock);
  const runbook = aRunbook([aStep("look", { action: null })], {
    id: "cost",
    source: "# Runbook: Cost\n",
    target: "budget/${{ alert.labels.budget }}",
    mode: "auto",
    cooldownMs: 5 * minute,
  });
  let random = 0;
  const intake = createIntake({
    store,
    bytes: store,
    wakeQueue: { enqueue: (runId) => store.endRun(runId) },
    library: { match: () => runbook },
    guards: (candidate, facts) => cooldown(candidate, facts),
    clock,
    ids: createUlids(
      () => clock.now(),
      (count) => Uint8Array.from({ length: count }, () => (random += 1)),
    ),
    publish: () => undefined,
  });
  const alert = (status: "firing" | "resolved", startsAt: number): ReceivedAlert => ({
    alert: {
      status,
      labels: { alertname: "Burn", budget: "checkout" },
      annotations: {},
      startsAt,
      ...(status === "resolved" && { endsAt: clock.now() }),
      generatorUrl: "",
      fingerprint: "f1",
    },
  });
  const decisions: string[] = [];
  for (let at = 0; at < 30 * minute; at += 20 * second) {
    const startsAt = clock.now();
    for (const status of ["firing", "resolved"] as const) {
      const [decision] = await intake.accept({
        receiver: "r",
        groupKey: "{}",
        truncatedAlerts: 0,
        alerts: [alert(status, startsAt)],
        unreadable: [],
      });
      decisions.push(decision?.decision ?? "none");
      await clock.advance(10 * second);
    }
  }
  // The cooldown doubles with every episode of the day: 5, 10, 20 minutes and no more.
  expect(decisions.filter((decision) => decision === "enqueued").length).toBeGreaterThanOrEqual(1);
  expect(decisions.filter((decision) => decision === "enqueued").length).toBeLessThanOrEqual(3);
  expect(decisions.filter((decision) => decision === "refused").length).toBeGreaterThan(80);
  expect(store.runs().length).toBeLessThanOrEqual(3);
});
