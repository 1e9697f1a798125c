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

it("reads alerts with nanoseconds and what Alertmanager does about them; endsAt is no end", async () => {
  expect(await parseStandingAlerts(JSON.stringify([anAlert]))).toEqual({
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
    unreadable: [],
  });
});

it.each(["", "null", "{}", "<html>", "[{}", "[{}]x"])("cannot see anything in %j", async (body) => {
  expect(await parseStandingAlerts(body)).toMatchObject({ kind: "unavailable" });
});

it.each([
  ["no fingerprint", { fingerprint: "" }, "fingerprint"],
  ["a label that is a number", { labels: { alertname: 1 } }, "labels.alertname"],
  ["a state of tomorrow", { status: { state: "muted" } }, "status.state"],
  ["a start that is none", { startsAt: "soon" }, "startsAt"],
])("names an alert with %s, and reads those beside it", async (_name, odd, place) => {
  const seen = await parseStandingAlerts(JSON.stringify([anAlert, { ...anAlert, ...odd }, null, anAlert]));
  expect(seen).toMatchObject({
    kind: "alerts",
    alerts: [{}, {}],
    unreadable: [{ reason: expect.stringContaining(place) }, { fingerprint: "" }],
  });
});

it("reads an alert whose odd fields decide nothing", async () => {
  const odd = { ...anAlert, annotations: null, generatorURL: null, endsAt: "never", status: { state: "active", silencedBy: null } };
  expect(await parseStandingAlerts(JSON.stringify([odd]))).toMatchObject({ alerts: [{ silencedBy: [] }], unreadable: [] });
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
  [
    "by an address with a slash, a query or a fragment behind it, as lint and doctor read it",
    [
      hook("query", "http://runbookd:9097/webhooks/alertmanager?cluster=eu"),
      hook("slash", "http://proxy/runbookd/webhooks/alertmanager/?a=/b"),
      hook("fragment", "http://runbookd:9097/webhooks/alertmanager#eu"),
      hook("other", "http://chat/hook?next=/webhooks/alertmanager"),
      hook("part", "https://<secret>/hook"),
    ],
    ["query", "slash", "fragment", "part"],
  ],
  ["as none when none does", [{ name: "people" }], []],
  [
    "beside hooks that cannot be read, which may call us",
    [
      { name: "us", webhook_configs: [7, { url: "http://runbookd/webhooks/alertmanager" }] },
      { name: "odd", webhook_configs: [null] },
      hook("chat", "http://chat/hook"),
    ],
    ["us", "odd"],
  ],
  ["beside receivers that cannot be read", [null, { name: 7 }, { name: "odd", webhook_configs: "x" }, hook("us", "<secret>")], ["us"]],
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
