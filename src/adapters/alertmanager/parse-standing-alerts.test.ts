import { expect, it } from "@jest/globals";
import { parseStandingAlerts } from "./create-alertmanager-client.ts";

const anAlert = {
  annotations: { summary: "burn" },
  endsAt: "2026-01-05T12:04:00.000Z",
  fingerprint: "d33d9b9faad52c5d",
  receivers: [{ name: "runbookd" }],
  startsAt: "2026-01-05T12:00:00.123456789Z",
  status: { inhibitedBy: [], silencedBy: ["s-1"], state: "suppressed" },
  updatedAt: "2026-01-05T12:00:00.000Z",
  generatorURL: "http://prometheus/graph",
  labels: { alertname: "LLMBudgetBurnFast" },
};

it("reads alerts with nanoseconds and what Alertmanager does about them; endsAt is no end", () => {
  expect(parseStandingAlerts(JSON.stringify([anAlert]))).toEqual({
    kind: "alerts",
    alerts: [
      {
        alert: {
          status: "firing",
          labels: { alertname: "LLMBudgetBurnFast" },
          annotations: { summary: "burn" },
          startsAt: Date.UTC(2026, 0, 5, 12, 0, 0, 123),
          generatorUrl: "http://prometheus/graph",
          fingerprint: "d33d9b9faad52c5d",
        },
        state: "suppressed",
        silencedBy: ["s-1"],
        inhibitedBy: [],
      },
    ],
  });
});

it.each(["", "null", "{}", "[{}]", "<html>", '[{"fingerprint":""}]'])("cannot see anything in %j", (body) => {
  expect(parseStandingAlerts(body)).toMatchObject({ kind: "unavailable" });
});
