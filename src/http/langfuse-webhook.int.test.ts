import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { aRunbook } from "../testing/a-runbook.ts";
import { type HttpHarness, startHttp } from "../testing/http-harness.ts";

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

async function post(body: unknown, { at = http.clock.now(), key = secret, header = "" } = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const seconds = Math.floor(at / 1000);
  const signed = `t=${seconds},v1=${createHmac("sha256", key).update(`${seconds}.${text}`).digest("hex")}`;
  const response = await fetch(`${http.url}/webhooks/langfuse`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-langfuse-signature": header === "" ? signed : header },
    body: text,
  });
  return { status: response.status, body: Object(await response.json()) };
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
    for (const body of [monitor({ severity: "NO_DATA" }), { type: "prompt-version", payload: {} }, { type: "something-new" }])
      expect(await post(body)).toEqual({ status: 202, body: { decisions: [] } });
  });

  it.each([
    ["another secret", { key: "lf-whsec_another_secret" }],
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
