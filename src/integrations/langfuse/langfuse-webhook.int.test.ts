import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { aRunbook } from "../../../test/builders/a-runbook.ts";
import { type HttpHarness, startHttp } from "../../../test/servers/http-harness.ts";
import { createLangfuseMonitor, type MonitorMishap } from "../../../test/servers/langfuse-monitor.ts";

const secret = "lf-whsec_0123456789abcdef";

let http: HttpHarness;

beforeEach(async () => {
  http = await startHttp({ langfuseSecret: secret, runbooks: [{ runbook: aRunbook([]), alertName: "LangfuseMonitor" }] });
});
afterEach(async () => http[Symbol.asyncDispose]());

const monitor = (change: object = {}) => ({
  id: "evt_1",
  timestamp: "2026-11-23T06:00:00.000Z",
  type: "monitor-alert",
  apiVersion: "v1",
  payload: {
    monitorId: "mon_1",
    projectId: "prj_1",
    permalink: "https://cloud.langfuse.com/m/1",
    message: { title: "Cost of implement is over 3 $", body: "It was 4.2 $." },
    severity: "ALERT",
    timestamp: "2026-11-23T05:59:58.000Z",
    ...change,
  },
});

async function post(body: unknown, mishap: MonitorMishap = {}) {
  const sender = createLangfuseMonitor({ url: `${http.url}/webhooks/langfuse`, secret, now: () => http.clock.now() });
  const reply = await sender.send(body, mishap);
  if (reply.kind === "off") throw new Error("The webhook is switched off.");
  return { status: reply.status, body: Object(reply.body) };
}

describe("POST /webhooks/langfuse", () => {
  it("starts a run for a monitor's alert, and joins it when the monitor says so again or more gravely", async () => {
    const first = await post(monitor({ severity: "WARNING" }));
    expect(first).toMatchObject({ status: 202, body: { decisions: [{ decision: "enqueued" }] } });
    const again = await post(monitor());
    expect(again).toMatchObject({
      status: 202,
      body: { decisions: [{ decision: "joined", fingerprint: first.body.decisions[0].fingerprint }] },
    });
    expect(await post(monitor({ severity: "OK", timestamp: "2026-11-23T06:00:00.000Z" }))).toMatchObject({
      body: { decisions: [{ decision: "resolved" }] },
    });
  });

  it("accepts what needs no decision, so that Langfuse does not switch the webhook off", async () => {
    const sender = createLangfuseMonitor({ url: `${http.url}/webhooks/langfuse`, secret, now: () => http.clock.now() });
    const harmless = [monitor({ severity: "NO_DATA" }), { type: "prompt-version", payload: {} }, { type: "something-new" }];
    for (const body of [...harmless, ...harmless])
      expect(await sender.send(body)).toEqual({ kind: "answered", status: 202, body: { decisions: [] } });
    // The sixth of six refused ones is not even sent.
    const outcomes = [];
    for (let tries = 0; tries < 6; tries += 1) outcomes.push((await sender.send({ type: 7 })).kind);
    expect(outcomes).toEqual([...Array.from({ length: 5 }, () => "answered"), "off"]);
  });

  it.each([
    ["another secret", { secret: "lf-whsec_another_secret" }],
    ["an old signature", { at: Date.UTC(2026, 10, 23, 5, 54, 59) }],
    ["a signature of the future", { at: Date.UTC(2026, 10, 23, 6, 5, 1) }],
    ["no signature", { header: "none" }],
    ["a signature of something else", { header: `t=1,v1=${"0".repeat(64)}` }],
  ])("refuses %s and starts nothing", async (_name, how) => {
    expect(await post(monitor(), how)).toMatchObject({ status: 401 });
    expect(await post(monitor())).toMatchObject({ body: { decisions: [{ decision: "enqueued" }] } });
  });

  it("refuses what is signed and no event", async () => {
    expect(await post({ type: 7 })).toMatchObject({ status: 400, body: { issues: [expect.stringContaining("type")] } });
    expect(await post(monitor({ monitorId: "" }))).toMatchObject({ status: 400 });
    expect(await post("{")).toMatchObject({ status: 400 });
  });

  it("accepts a long event without reading it, as Langfuse sends a whole prompt with its event", async () => {
    const long = { type: "prompt-version", payload: { prompt: "x".repeat(500_000) } };
    expect(await post(long)).toEqual({ status: 202, body: { decisions: [] } });
    expect(await post(long, { secret: "lf-whsec_another_secret" })).toMatchObject({ status: 401 });
    expect(await post({ type: "prompt-version", payload: "x".repeat(1_100_000) })).toMatchObject({ status: 413 });
  });

  it("judges the bytes that were sent before it parses them", async () => {
    expect(await post('{"type": "prompt-version",  "payload": "\\u0041"}')).toMatchObject({ status: 202 });
    expect(await post('{"type":', { secret: "lf-whsec_another_secret" })).toMatchObject({ status: 401 });
    expect(await post('{"type":')).toMatchObject({ status: 400 });
  });

  it("reads only a few bodies at once whose sender is not known yet, and notifications of Alertmanager beside them", async () => {
    const t = Math.floor(http.clock.now() / 1000);
    const { port } = new URL(http.url);
    const halfSent = Array.from({ length: 100 }, () => {
      const socket = connect(Number(port), "127.0.0.1");
      socket.on("error", () => undefined);
      const head = `POST /webhooks/langfuse HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-langfuse-signature: t=${t},v1=${"0".repeat(64)}\r\n`;
      socket.write(`${head}content-length: 1000000\r\n\r\n${"x".repeat(60_000)}`);
      return socket;
    });
    while ((await post({ type: "prompt-version" })).status !== 503) await setTimeout(5);
    const response = await fetch(`${http.url}/webhooks/alertmanager`, {
      method: "POST",
      headers: { authorization: "Bearer correct-horse-battery", "content-type": "application/json" },
      body: JSON.stringify({ version: "4", alerts: [], padding: "x".repeat(15_000_000) }),
    });
    expect(response.status).toBe(202);
    for (const socket of halfSent) socket.destroy();
    while ((await post({ type: "prompt-version" })).status !== 202) await setTimeout(5);
  });

  it("does not exist without a secret", async () => {
    await using closed = await startHttp();
    const response = await fetch(`${closed.url}/webhooks/langfuse`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect(response.status).toBe(404);
  });
});
