import { expect, it } from "@jest/globals";
import { parseStandingAlerts, parseStatus } from "./create-alertmanager-client.ts";

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
        receivers: ["runbookd"],
      },
    ],
  });
});

it.each(["", "null", "{}", "[{}]", "<html>", '[{"fingerprint":""}]'])("cannot see anything in %j", (body) => {
  expect(parseStandingAlerts(body)).toMatchObject({ kind: "unavailable" });
});

const hook = (name: string, url?: string) => ({ name, webhook_configs: [{ ...(url !== undefined && { url }), send_resolved: true }] });

it.each([
  [
    "by their address",
    [hook("us", "http://runbookd:9097/webhooks/alertmanager"), hook("chat", "http://chat/hook"), { name: "people" }],
    ["us"],
  ],
  [
    "by being a webhook at all when addresses are hidden",
    [hook("us", "<secret>"), hook("chat", "<secret>"), { name: "people" }],
    ["us", "chat"],
  ],
  ["as none when none does", [{ name: "people" }], []],
] as const)("knows the receivers that call us %s", (_name, receivers, ours) => {
  const original = JSON.stringify({ route: { receiver: "people" }, receivers });
  expect(parseStatus(JSON.stringify({ uptime: "2026-01-05T12:00:00.000Z", config: { original } }))).toEqual({
    startedAt: Date.UTC(2026, 0, 5, 12),
    receivers: ours,
  });
});

it("says nothing about receivers when the configuration is not shown", () => {
  expect(parseStatus('{"uptime":"2026-01-05T12:00:00Z"}')).toEqual({ startedAt: Date.UTC(2026, 0, 5, 12), receivers: undefined });
  expect(parseStatus('{"config":{"original":""}}')).toBeUndefined();
});
