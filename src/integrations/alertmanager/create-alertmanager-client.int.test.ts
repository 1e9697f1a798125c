import { afterAll, beforeAll, expect, it } from "@jest/globals";
import type { Labels } from "../../../packages/sdk/src/wire/alerts.ts";
import { startAlertmanager } from "../../../test/servers/alertmanager.ts";
import type { ServiceOnPort } from "../../../test/servers/start-on-port.ts";
import { createSystemClock } from "../../core/clock.ts";
import { createAlertStanding } from "./create-alert-standing.ts";
import { type AlertmanagerClient, createAlertmanagerClient } from "./create-alertmanager-client.ts";

const { signal } = new AbortController();
let server: ServiceOnPort;
let client: AlertmanagerClient;

beforeAll(async () => {
  server = await startAlertmanager({ config: "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n" });
  client = createAlertmanagerClient({ url: server.url, clock: createSystemClock() });
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

async function fingerprintOf(labels: Labels): Promise<string> {
  const all = await client.alerts(signal);
  const found = all.kind === "alerts" ? all.alerts.find(({ alert }) => alert.labels["budget"] === labels["budget"]) : undefined;
  return found?.alert.fingerprint ?? "";
}

it("tells how an alert stands: firing, silenced, gone, and hands alerts in", async () => {
  const clock = createSystemClock();
  const labels = { alertname: "Burn", budget: 'check"out\\ü' };
  const standing = createAlertStanding([client], { clock, settlesMs: 0 });
  const ask = async (fingerprint: string) => (await standing.ask({ fingerprint, labels }, signal)).kind;
  expect(await ask("0123456789abcdef")).toBe("gone");
  const now = Date.now();
  expect(await client.send({ labels, annotations: { summary: "s" }, startsAt: now, endsAt: now + 60_000 }, signal)).toEqual({
    kind: "sent",
  });
  await client.send({ labels: { alertname: "Burn", budget: "other" }, annotations: {}, startsAt: now, endsAt: now + 60_000 }, signal);
  const fingerprint = await fingerprintOf(labels);
  expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
  expect(await ask(fingerprint)).toBe("firing");
  const some = await client.alerts(signal, { labels });
  expect(some.kind === "alerts" && some.alerts.map(({ alert }) => alert.labels)).toEqual([labels]);
  const counts = [
    { receivers: ["nobody"] },
    { receivers: ["no.ody"] },
    { receivers: ["x", "nobody"] },
    { matchers: [{ label: "budget", op: "!~", value: "oth.*" } as const] },
  ];
  const found = await Promise.all(counts.map(async (question) => client.alerts(signal, question)));
  expect(found.map((one) => one.kind === "alerts" && one.alerts.length)).toEqual([2, 0, 2, 1]);
  await post("/api/v2/silences", {
    matchers: [{ name: "budget", value: labels.budget, isRegex: false, isEqual: true }],
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 60_000).toISOString(),
    createdBy: "test",
    comment: "test",
  });
  expect(await ask(fingerprint)).toBe("silenced");
  await client.send({ labels, annotations: {}, startsAt: now - 5000, endsAt: now - 1000 }, signal);
  expect(await ask(fingerprint)).toBe("gone");
});

it("an Alertmanager that has just started cannot say that an alert is gone", async () => {
  const clock = createSystemClock();
  expect((await client.status(signal))?.startedAt ?? 0).toBeGreaterThan(Date.now() - 600_000);
  const standing = createAlertStanding([client], { clock, settlesMs: 3_600_000 });
  expect((await standing.ask({ fingerprint: "x", labels: {} }, signal)).kind).toBe("unknown");
});

it("cannot see is not the same as gone", async () => {
  const nobody = createAlertmanagerClient({ url: "http://127.0.0.1:1", clock: createSystemClock() });
  expect(await nobody.alerts(signal)).toMatchObject({ kind: "unavailable" });
  expect(await nobody.status(signal)).toBeUndefined();
  expect(await nobody.send({ labels: {}, annotations: {}, startsAt: 0, endsAt: 0 }, signal)).toMatchObject({ kind: "unavailable" });
  await nobody.close();
  const elsewhere = createAlertmanagerClient({ url: `${server.url}/nothing/here`, clock: createSystemClock() });
  expect(await elsewhere.alerts(signal)).toEqual({ kind: "unavailable", reason: "Alertmanager answered 404" });
  await elsewhere.close();
});
