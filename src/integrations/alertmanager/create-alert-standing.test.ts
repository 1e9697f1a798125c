import { expect, it } from "@jest/globals";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import type { UnreadableAlert } from "../../alerts/notification.ts";
import type { StandingAlert } from "../../alerts/standing-alert.ts";
import { createAlertStanding, judgeStanding, type StandingView } from "./create-alert-standing.ts";

const alert = {
  status: "firing",
  labels: { alertname: "Burn" },
  annotations: {},
  startsAt: 1,
  generatorUrl: "",
  fingerprint: "f1",
} as const;
const firing: StandingAlert = { alert, state: "active", silencedBy: [], inhibitedBy: [], receivers: [] };
const silenced: StandingAlert = { ...firing, state: "suppressed", silencedBy: ["s-1"] };
const inhibited: StandingAlert = { ...firing, state: "suppressed", inhibitedBy: ["f9"] };
const other: StandingAlert = { ...firing, alert: { ...alert, fingerprint: "f2" } };
const sees = (...alerts: StandingAlert[]): StandingView => ({ kind: "alerts", alerts, unreadable: [], settled: true });
const fresh: StandingView = { kind: "alerts", alerts: [], unreadable: [], settled: false };
const down: StandingView = { kind: "unavailable", reason: "refused" };

it.each([
  ["firing in one", [sees(firing)], "firing"],
  ["firing in one and unknown to the other", [sees(), sees(other, firing)], "firing"],
  ["firing in one while the other is down", [down, sees(firing)], "firing"],
  ["firing in one and silenced in the other", [sees(silenced), sees(firing)], "firing"],
  ["inhibited by a graver alert", [sees(inhibited)], "firing"],
  ["silenced", [sees(silenced), down], "silenced"],
  ["in none", [sees(other), sees()], "gone"],
  ["in none that can be reached", [sees(), down], "gone"],
  ["in none, but one has just started", [sees(), fresh], "unknown"],
  ["asked of nobody who answers", [down, down], "unknown"],
] as const)("judges an alert %s", (_name, views, kind) => {
  expect(judgeStanding("f1", views).kind).toBe(kind);
});

it("asks by the alert's labels, and how long an Alertmanager has been up only when it does not hold the alert", async () => {
  const clock = createFakeClock(1_000_000);
  const asked: unknown[] = [];
  const aClient = (alerts: readonly StandingAlert[], startedAt: number | undefined, unreadable: readonly UnreadableAlert[] = []) => ({
    alerts: async (_signal: AbortSignal, question?: object) => {
      asked.push(question);
      return { kind: "alerts", alerts, unreadable } as const;
    },
    status: async () => {
      asked.push("status");
      return startedAt === undefined ? undefined : { startedAt, receivers: undefined };
    },
  });
  const ask = async (...clients: ReturnType<typeof aClient>[]) =>
    (await createAlertStanding(clients, { clock, settlesMs: 60_000 }).ask(alert, new AbortController().signal)).kind;
  expect(await ask(aClient([firing], undefined))).toBe("firing");
  expect(asked).toEqual([{ labels: { alertname: "Burn" } }]);
  expect(await ask(aClient([], 940_000))).toBe("gone");
  expect(await ask(aClient([], 940_001))).toBe("unknown");
  expect(await ask(aClient([], undefined))).toBe("unknown");
  expect(await ask(aClient([], 940_000, [{ fingerprint: "f1", reason: "odd" }]), aClient([], 940_000))).toBe("unknown");
  expect(await ask(aClient([], 940_000, [{ fingerprint: "", reason: "odd" }]))).toBe("unknown");
  expect(await ask(aClient([], 940_000, [{ fingerprint: "f2", reason: "odd" }]))).toBe("gone");
});
