import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { aRunbook, aStep } from "../../test/builders/a-runbook.ts";
import { type HttpHarness, type HttpHarnessOptions, startHttp } from "../../test/servers/http-harness.ts";
import { defineRoute, json, noQuery } from "../platform/http/route.ts";
import type { AlertEvent } from "./alert-event.ts";
import { webhookBodyLimitBytes } from "./webhook.ts";

const webhookToken = "correct-horse-battery";
const runbook = aRunbook([aStep("look", { action: null })], { id: "look-at-it" });
const withRunbook: HttpHarnessOptions = { runbooks: [{ runbook, alertName: "Burn" }] };

function aBody(alerts: number | object[] = 1, fields: object = {}): string {
  const one = (index: number) => ({
    status: "firing",
    labels: { alertname: "Burn", instance: `i${index}` },
    annotations: { summary: "It burns." },
    startsAt: "2026-11-23T05:00:00Z",
    endsAt: "0001-01-01T00:00:00Z",
    generatorURL: "http://prometheus/graph",
    fingerprint: `f${index}`,
  });
  const list = typeof alerts === "number" ? Array.from({ length: alerts }, (_, index) => one(index)) : alerts;
  return JSON.stringify({ version: "4", groupKey: "{}:{}", receiver: "runbookd", truncatedAlerts: 0, alerts: list, ...fields });
}

async function post(http: HttpHarness, body: NonNullable<RequestInit["body"]>, headers: Record<string, string> = {}) {
  const init: RequestInit & { duplex: "half" } = {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${webhookToken}`, "content-type": "application/json", ...headers },
    duplex: "half",
  };
  const response = await fetch(`${http.url}/webhooks/alertmanager`, init);
  const text = await response.text();
  const answer: { type?: string; detail?: string; decisions?: { decision: string; runId?: string }[] } =
    text === "" ? {} : JSON.parse(text);
  return { status: response.status, headers: response.headers, text, answer };
}

describe("POST /webhooks/alertmanager", () => {
  it.each(readdirSync(join(import.meta.dirname, "fixtures")))("accepts the recorded notification %s", async (file) => {
    await using http = await startHttp();
    const recorded: { body: { alerts: unknown[] } } = JSON.parse(readFileSync(join(import.meta.dirname, "fixtures", file), "utf8"));
    const { status, answer } = await post(http, JSON.stringify(recorded.body));
    expect(status).toBe(202);
    expect(answer.decisions).toHaveLength(recorded.body.alerts.length);
  });

  it("has Alertmanager asked at once when the sender left alerts out, and only then", async () => {
    let asked = 0;
    await using http = await startHttp({ ...withRunbook, onTruncated: () => void (asked += 1) });
    await post(http, aBody());
    expect(asked).toBe(0);
    expect((await post(http, aBody(undefined, { truncatedAlerts: 3 }))).status).toBe(202);
    expect(asked).toBe(1);
  });

  it("answers 202 with the run once it is stored", async () => {
    await using http = await startHttp(withRunbook);
    const { status, answer } = await post(http, aBody());
    expect(status).toBe(202);
    expect(answer.decisions).toEqual([
      { fingerprint: "f0", decision: "enqueued", runbook: "look-at-it", runId: http.store.runs()[0]?.summary.id },
    ]);
    expect(http.notifications).toEqual([202]);
  });

  it("starts nothing for a notification that a run has sent", async () => {
    await using http = await startHttp(withRunbook);
    expect((await post(http, aBody(), { "runbookd-run": "run_1" })).status).toBe(400);
    expect(http.store.runs()).toEqual([]);
  });

  it("answers 503 with Retry-After while the store is away, keeps nothing, and accepts the retry", async () => {
    await using http = await startHttp(withRunbook);
    http.store.failing(true);
    const { status, headers, answer } = await post(http, aBody());
    expect([status, headers.get("retry-after"), answer.type]).toEqual([503, "5", "urn:problem-type:runbookd:unavailable"]);
    expect(http.store.runs()).toEqual([]);
    http.store.failing(false);
    expect((await post(http, aBody())).answer.decisions).toMatchObject([{ decision: "enqueued" }]);
    expect(http.notifications).toEqual([503, 202]);
  });

  it("answers 503 while it is shutting down", async () => {
    await using http = await startHttp();
    http.closing.abort();
    expect((await post(http, aBody())).status).toBe(503);
  });

  it("answers 503 above the number of webhooks that it works on at once, and works on when they are done", async () => {
    await using http = await startHttp({ limits: { maxWebhooksInFlight: 1 } });
    let feed: ReadableStreamDefaultController<Uint8Array> | undefined;
    const slow = new ReadableStream<Uint8Array>({
      start(controller) {
        feed = controller;
        controller.enqueue(new TextEncoder().encode(" "));
      },
    });
    const held = post(http, slow);
    // The slow one has begun once another is turned away.
    while ((await post(http, aBody())).status !== 503);
    feed?.enqueue(new TextEncoder().encode(aBody()));
    feed?.close();
    expect((await held).status).toBe(202);
    expect((await post(http, aBody())).status).toBe(202);
  });

  it("answers 503 when the bodies being read would need more memory than it has", async () => {
    await using http = await startHttp({ limits: { maxBytesBeingRead: 10_000 } });
    expect((await post(http, aBody(200))).status).toBe(503);
    expect((await post(http, aBody(1))).status).toBe(202);
  });

  it("has memory of its own: half-sent bodies of applications cost no notification", async () => {
    const route = defineRoute({
      method: "post",
      path: "/api/things",
      summary: "Takes things",
      allow: ["workload"],
      query: noQuery,
      body: z.unknown(),
      success: { status: 200, description: "Nothing", schema: z.object({}) },
      handle: async () => json({}),
    });
    await using http = await startHttp({ routes: [route], limits: { maxBytesBeingRead: 100_000 } });
    const send = async (body: NonNullable<RequestInit["body"]>) => {
      const headers = { authorization: "Bearer workload-token", "content-type": "application/json" };
      const init: RequestInit & { duplex: "half" } = { method: "POST", headers, body, duplex: "half" };
      return (await fetch(`${http.url}/api/things`, init)).status;
    };
    const feeds: ReadableStreamDefaultController<Uint8Array>[] = [];
    const halfSent = Array.from({ length: 20 }, async () =>
      send(
        new ReadableStream<Uint8Array>({
          start(controller) {
            feeds.push(controller);
            controller.enqueue(new TextEncoder().encode(" ".repeat(4000)));
          },
        }),
      ),
    );
    // Applications have used up what is theirs.
    while ((await send(`"${"x".repeat(2000)}"`)) !== 503);
    expect((await post(http, aBody(200))).status).toBe(202);
    for (const feed of feeds) {
      feed.enqueue(new TextEncoder().encode("{}"));
      feed.close();
    }
    expect(new Set(await Promise.all(halfSent))).toEqual(new Set([200, 503]));
  });

  it("answers 500 without a stack or a message when something unexpected happens", async () => {
    await using http = await startHttp({
      ...withRunbook,
      guards: () => {
        throw new Error("the guardrails' own secret");
      },
    });
    const { status, text, headers } = await post(http, aBody());
    expect([status, headers.get("content-type")]).toEqual([500, "application/problem+json; charset=utf-8"]);
    expect(text).not.toMatch(/secret|at .*\.ts/);
    expect(http.logged.join("")).toContain("the guardrails' own secret");
  });

  it("decides every alert but the one that cannot be read, and names it", async () => {
    const published: AlertEvent[] = [];
    await using http = await startHttp({ ...withRunbook, publish: (event) => void published.push(event) });
    const [sound] = JSON.parse(aBody()).alerts;
    const long = { ...sound, labels: { ...sound.labels, query: "q".repeat(1500) }, fingerprint: "long" };
    const { status, answer } = await post(http, aBody([sound, { ...sound, startsAt: "soon", fingerprint: "odd" }, long]));
    expect(status).toBe(202);
    expect(answer.decisions).toMatchObject([
      { fingerprint: "f0", decision: "enqueued" },
      { fingerprint: "long", decision: "joined" },
      { fingerprint: "odd", decision: "unreadable", reason: expect.stringContaining("startsAt") },
    ]);
    expect(published.map(({ decision }) => decision.decision)).toEqual(["enqueued", "joined", "unreadable"]);
    expect(http.samples.list()).toEqual([]);
  });

  it.each(["/webhooks/alertmanager/", "/webhooks/alertmanager/?from=am"])("takes a notification at %s too", async (path) => {
    await using http = await startHttp();
    const headers = { authorization: `Bearer ${webhookToken}`, "content-type": "application/json" };
    expect((await fetch(`${http.url}${path}`, { method: "POST", headers, body: aBody() })).status).toBe(202);
    expect((await fetch(`${http.url}/healthz/`)).status).toBe(404);
  });

  it("takes a notification that Amazon SNS delivers raw, as text/plain", async () => {
    await using http = await startHttp(withRunbook);
    expect((await post(http, aBody(), { "content-type": "text/plain; charset=UTF-8" })).status).toBe(202);
    await using open = await startHttp({ webhookTokens: [] });
    const { status, answer } = await post(open, aBody(), { "content-type": "text/plain" });
    expect([status, answer.detail]).toEqual([400, expect.stringMatching(/RUNBOOKD_WEBHOOK_TOKEN is set, .* raw message delivery/)]);
  });

  it.each([
    ["a list, as Prometheus sends it to an Alertmanager", [{ labels: { alertname: "Burn" } }], "Put an Alertmanager between"],
    ["an envelope of Amazon SNS", { Type: "Notification", TopicArn: "arn", Message: aBody() }, "raw message delivery"],
    ["a request of Amazon SNS for confirmation", { Type: "SubscriptionConfirmation", TopicArn: "arn" }, "SubscribeURL"],
    ["another product's event", { event: "budget_crossed", spend: 1.2 }, "Grafana Alerting"],
  ])("says what to do about %s", async (_name, body, advice) => {
    await using http = await startHttp();
    const { status, answer } = await post(http, JSON.stringify(body), { "content-type": "text/plain" });
    expect([status, answer.detail]).toEqual([400, expect.stringContaining(advice)]);
  });

  it("takes five thousand alerts in one body", async () => {
    await using http = await startHttp(withRunbook);
    const body = aBody(5000, { commonAnnotations: { padding: "x".repeat(4_000_000) } });
    expect(body.length).toBeGreaterThan(5_000_000);
    const { status, answer } = await post(http, body);
    expect(status).toBe(202);
    expect(answer.decisions).toHaveLength(5000);
    expect(http.store.runs()).toHaveLength(1);
  });

  it("takes a compressed body", async () => {
    await using http = await startHttp();
    expect((await post(http, gzipSync(aBody(3)), { "content-encoding": "gzip" })).answer.decisions).toHaveLength(3);
  });
});

describe("who may post", () => {
  it.each([
    ["no credentials", ""],
    ["another token", "Bearer correct-horse-batterz"],
    ["a truncated token", "Bearer correct-horse-batter"],
    ["a longer token", "Bearer correct-horse-battery1"],
    ["an empty token", "Bearer "],
    ["another password", `Basic ${btoa("alertmanager:wrong")}`],
    ["the token as the user", `Basic ${btoa(`${webhookToken}:`)}`],
    ["another scheme", `Digest ${webhookToken}`],
    ["a token of the API", "Bearer admin-token"],
  ])("answers 401 to %s before it reads the body", async (_name, authorization) => {
    await using http = await startHttp(withRunbook);
    const { status, headers } = await post(http, "not even JSON", { authorization });
    expect(status).toBe(401);
    expect(headers.get("www-authenticate")).toContain("Bearer");
    expect(http.samples.list()).toEqual([]);
    expect(http.notifications).toEqual([401]);
  });

  it.each([
    ["Bearer with the first token", "Bearer first-token-of-two"],
    ["Bearer with the second", "Bearer second-token-of-two"],
    ["Basic with a token as the password", `Basic ${btoa("anyone:second-token-of-two")}`],
  ])("accepts %s", async (_name, authorization) => {
    await using http = await startHttp({ webhookTokens: ["first-token-of-two", "second-token-of-two"] });
    expect((await post(http, aBody(), { authorization })).status).toBe(202);
  });

  it("accepts everybody without a token, which configuration permits on loopback only", async () => {
    await using http = await startHttp({ webhookTokens: [] });
    expect((await post(http, aBody(), { authorization: "" })).status).toBe(202);
  });
});

describe("bodies that can never be valid", () => {
  const deep = `${"[".repeat(45_000)}${"]".repeat(45_000)}`;

  it.each<[string, string | Uint8Array, Record<string, string>]>([
    ["cut off", '{"a":', {}],
    ["empty", "", {}],
    ["null", "null", {}],
    ["a list", "[]", {}],
    ["a text", '"x"', {}],
    ["two documents", `${aBody()}${aBody()}`, {}],
    ["no UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), {}],
    ["nested 45,000 levels", deep, {}],
    ["nested 33 levels inside alerts", aBody(1, { extra: JSON.parse(`${"[".repeat(32)}${"]".repeat(32)}`) }), {}],
    ["of another version", aBody(1, { version: "3" }), {}],
    ["without alerts", JSON.stringify({ version: "4" }), {}],
    ["without a content type", aBody(), { "content-type": "" }],
    ["text/html", aBody(), { "content-type": "text/html" }],
    ["in another charset", aBody(), { "content-type": "application/json; charset=utf-7" }],
    ["in another encoding", aBody(), { "content-encoding": "br" }],
    ["gzip that is none", aBody(), { "content-encoding": "gzip" }],
    ["gzip that breaks off", gzipSync(aBody(100)).subarray(0, 200), { "content-encoding": "gzip" }],
  ])("get 400 when %s, and the process lives", async (_name, body, headers) => {
    await using http = await startHttp();
    const refused = await post(http, typeof body === "string" ? new TextEncoder().encode(body) : body, headers);
    expect([refused.status, refused.headers.get("content-type")]).toEqual([400, "application/problem+json; charset=utf-8"]);
    expect(refused.text).not.toMatch(/\bat .*:\d+:\d+/);
    expect(http.notifications).toEqual([400]);
    expect((await post(http, aBody())).status).toBe(202);
  });

  it("accepts a charset of utf-8, however it is written", async () => {
    await using http = await startHttp();
    for (const type of ["application/json; charset=utf-8", "Application/JSON;charset=UTF-8", 'application/json; charset="utf-8"']) {
      expect((await post(http, aBody(), { "content-type": type })).status).toBe(202);
    }
  });

  it("get 413 above 16 MB, by their announced length, while they arrive in chunks, and when they inflate", async () => {
    await using http = await startHttp();
    const large = aBody(1, { padding: "x".repeat(webhookBodyLimitBytes) });
    expect((await post(http, large)).status).toBe(413);
    const chunked = new ReadableStream<Uint8Array>({
      start(controller) {
        const bytes = new TextEncoder().encode(large);
        for (let at = 0; at < bytes.length; at += 1_000_000) controller.enqueue(bytes.subarray(at, at + 1_000_000));
        controller.close();
      },
    });
    expect((await post(http, chunked)).status).toBe(413);
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, " "));
    expect(bomb.length).toBeLessThan(webhookBodyLimitBytes / 10);
    expect((await post(http, bomb, { "content-encoding": "gzip" })).status).toBe(413);
    expect((await post(http, aBody())).status).toBe(202);
  });

  it("take up to 16 MB", async () => {
    await using http = await startHttp();
    const empty = aBody(1, { padding: "" }).length;
    expect((await post(http, aBody(1, { padding: "x".repeat(webhookBodyLimitBytes - empty) }))).status).toBe(202);
  });

  it("leave a redacted sample that only an admin reads", async () => {
    await using http = await startHttp();
    await post(http, aBody(1, { version: "3", password: "hunter2-hunter2" }));
    expect(http.samples.list()).toMatchObject([{ status: 400, issues: [expect.stringContaining("version")] }]);
    expect(http.samples.list()[0]?.body).toContain('"version":"3"');
    expect(http.samples.list()[0]?.body).not.toContain("hunter2");
  });

  it("are logged without their text", async () => {
    await using http = await startHttp();
    await post(http, '{"level":"info"}\n{"msg":"forged"}');
    expect(http.logged).toHaveLength(1);
    expect(http.logged[0]).not.toContain("forged");
  });
});

describe("hostile content is data", () => {
  it("cannot pollute prototypes", async () => {
    await using http = await startHttp(withRunbook);
    const body = `{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},${aBody().slice(1)}`;
    expect((await post(http, body)).status).toBe(202);
    expect("admin" in {}).toBe(false);
  });

  it.each(["active", "wait", "a:b", "123", "{x}*?", "__proto__"])(
    "takes the fingerprint %s as a name like any other",
    async (fingerprint) => {
      await using http = await startHttp(withRunbook);
      const alert: object = JSON.parse(aBody()).alerts[0];
      const { answer } = await post(http, aBody([{ ...alert, fingerprint }]));
      expect(answer.decisions).toMatchObject([{ fingerprint, decision: "enqueued", runId: expect.stringMatching(/^run_[0-9A-Z]{26}$/) }]);
    },
  );
});
