import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { startAlertmanager, type AlertmanagerServer } from "../../testing/alertmanager.ts";
import { createAlertmanagerClient, type AlertmanagerClient } from "./create-alertmanager-client.ts";

const { signal } = new AbortController();
let server: AlertmanagerServer;
let client: AlertmanagerClient;

beforeAll(async () => {
  server = await startAlertmanager({ config: "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n" });
  client = createAlertmanagerClient({ url: server.url });
});

afterAll(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
});

async function post(path: string, body: unknown): Promise<void> {
  const response = await fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`Alertmanager answered ${response.status}: ${await response.text()}`);
}

async function fingerprintOf(name: string): Promise<string> {
  const all = await client.alerts(signal);
  const found = all.kind === "alerts" ? all.alerts.find(({ alert }) => alert.labels["alertname"] === name) : undefined;
  return found?.alert.fingerprint ?? "";
}

it("tells how an alert stands: firing, silenced, gone", async () => {
  expect(await client.standing("0123456789abcdef", signal)).toEqual({ kind: "gone" });
  await post("/api/v2/alerts", [
    { labels: { alertname: "Burn", budget: "checkout" }, annotations: { summary: "s" }, startsAt: new Date().toISOString() },
  ]);
  const fingerprint = await fingerprintOf("Burn");
  expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
  expect(await client.standing(fingerprint, signal)).toEqual({ kind: "firing" });
  await post("/api/v2/silences", {
    matchers: [{ name: "alertname", value: "Burn", isRegex: false, isEqual: true }],
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 60_000).toISOString(),
    createdBy: "test",
    comment: "test",
  });
  expect(await client.standing(fingerprint, signal)).toEqual({ kind: "silenced" });
  await post("/api/v2/alerts", [
    {
      labels: { alertname: "Burn", budget: "checkout" },
      startsAt: new Date(Date.now() - 5000).toISOString(),
      endsAt: new Date(Date.now() - 1000).toISOString(),
    },
  ]);
  expect(await client.standing(fingerprint, signal)).toEqual({ kind: "gone" });
});

it("cannot see is not the same as gone", async () => {
  const nobody = createAlertmanagerClient({ url: "http://127.0.0.1:1" });
  expect(await nobody.standing("x", signal)).toMatchObject({ kind: "unavailable" });
  await nobody.close();
  const elsewhere = createAlertmanagerClient({ url: `${server.url}/nothing/here` });
  expect(await elsewhere.alerts(signal)).toEqual({ kind: "unavailable", reason: "Alertmanager answered 404" });
  await elsewhere.close();
});
