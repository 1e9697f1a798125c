import { connect } from "node:net";
import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { type HttpHarness, startHttp } from "../../../test/servers/http-harness.ts";
import { defineRoute, json, noBody, noQuery } from "./route.ts";

const webhookToken = "correct-horse-battery";
const empty = JSON.stringify({ version: "4", groupKey: "{}:{}", receiver: "runbookd", truncatedAlerts: 0, alerts: [] });

async function post(http: HttpHarness, headers: Record<string, string> = {}) {
  const response = await fetch(`${http.url}/webhooks/alertmanager`, {
    method: "POST",
    body: empty,
    headers: { authorization: `Bearer ${webhookToken}`, "content-type": "application/json", ...headers },
  });
  return { status: response.status, text: await response.text() };
}

describe("methods, paths and connections", () => {
  it.each(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])("answers 405 to %s on the webhook", async (method) => {
    await using http = await startHttp();
    const response = await fetch(`${http.url}/webhooks/alertmanager`, { method });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });

  it.each(["/nothing", "/webhooks/alertmanager//", "/healthz/", "/WEBHOOKS/alertmanager", "/api"])(
    "answers 404 at %s, as a problem",
    async (path) => {
      await using http = await startHttp();
      const response = await fetch(`${http.url}${path}`);
      expect([response.status, response.headers.get("content-type")]).toEqual([404, "application/problem+json; charset=utf-8"]);
    },
  );

  it("answers a path that cannot be decoded without a stack", async () => {
    await using http = await startHttp();
    const response = await fetch(`${http.url}/api/%ff`);
    expect(response.status).toBeLessThan(500);
    expect(await response.text()).not.toMatch(/URIError|node_modules/);
  });

  it("sets headers that keep answers from being cached, sniffed, framed or run, and does not name its framework", async () => {
    await using http = await startHttp();
    const { headers } = await fetch(`${http.url}/healthz`);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("x-powered-by")).toBeNull();
  });

  it("is not moved by forwarded headers", async () => {
    await using http = await startHttp();
    const { status, text } = await post(http, {
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "https",
    });
    expect(status).toBe(202);
    expect(text).not.toContain("evil.example");
  });

  it("survives requests that lie about their length, and many in one go", async () => {
    await using http = await startHttp();
    const { port, hostname } = new URL(http.url);
    const raw = async (bytes: string) =>
      new Promise<string>((resolve) => {
        let answer = "";
        const socket = connect(Number(port), hostname, () => socket.end(bytes));
        socket.on("data", (chunk) => (answer += chunk.toString()));
        socket.on("close", () => resolve(answer));
        socket.on("error", () => resolve(answer));
      });
    const head = `POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${webhookToken}\r\nContent-Type: application/json\r\n`;
    expect(await raw(`${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400/);
    await raw(`${head}Content-Length: 1000\r\n\r\n{}`);
    const pipelined = await raw("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000));
    // Without a token a connection ends behind its first answer.
    expect(pipelined.match(/HTTP\/1\.1 200/g)).toHaveLength(1);
    expect((await post(http)).status).toBe(202);
  });
});

describe("routes", () => {
  const aRoute = (path: string) =>
    defineRoute({
      method: "get",
      path,
      summary: path,
      allow: ["viewer"],
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "", schema: z.unknown() },
      handle: async ({ params }) => json({ path, params }),
    });

  it("with a name are not taken for one with a parameter, whichever was listed first", async () => {
    await using http = await startHttp({ routes: [aRoute("/api/things/{id}"), aRoute("/api/things/special")] });
    const get = async (path: string) => (await fetch(`${http.url}${path}`, { headers: { authorization: "Bearer viewer-token" } })).json();
    expect(await get("/api/things/special")).toEqual({ path: "/api/things/special", params: {} });
    expect(await get("/api/things/a%2Fb")).toEqual({ path: "/api/things/{id}", params: { id: "a/b" } });
  });

  it("that claim the same method and path are refused when the application is made", async () => {
    await expect(startHttp({ routes: [aRoute("/api/things"), aRoute("/api/things")] })).rejects.toThrow(
      "Two routes claim one method of /api/things",
    );
  });
});

describe("health", () => {
  it("lives even when it is not ready", async () => {
    await using http = await startHttp();
    http.conditions.push({ name: "redis", ok: false, detail: "It does not answer." });
    expect((await fetch(`${http.url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${http.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({
      ready: false,
      conditions: [
        { name: "running", ok: true },
        { name: "redis", ok: false, detail: "It does not answer." },
      ],
    });
  });

  it.each([
    ["no token", undefined, "a freeze"],
    ["a token that is not valid", "Bearer wrong", "a freeze"],
    ["the workload's token", "Bearer workload-token", "a freeze"],
    ["a person's token", "Bearer viewer-token", "by Ann: fire in the data center"],
  ])("shows to %s who and why only when that is a person", async (_who, authorization, detail) => {
    await using http = await startHttp();
    http.conditions.push({ name: "freeze", ok: true, detail: "a freeze", detailForPeople: "by Ann: fire in the data center" });
    const ready = await fetch(`${http.url}/readyz`, authorization === undefined ? {} : { headers: { authorization } });
    expect(await ready.json()).toEqual({
      ready: true,
      conditions: [
        { name: "running", ok: true },
        { name: "freeze", ok: true, detail },
      ],
    });
  });

  it("shows less, and is not refused, while tokens cannot be verified", async () => {
    const tokens = { verify: async () => Promise.reject(new Error("no token file")) };
    await using http = await startHttp({ tokens });
    http.conditions.push({ name: "freeze", ok: true, detail: "a freeze", detailForPeople: "by Ann" });
    const ready = await fetch(`${http.url}/readyz`, { headers: { authorization: "Bearer viewer-token" } });
    expect([ready.status, await ready.text()]).toEqual([200, expect.not.stringContaining("Ann")]);
  });

  it("is ready when every condition holds, and no longer once it is shutting down", async () => {
    await using http = await startHttp();
    http.conditions.push({ name: "redis", ok: true });
    expect((await fetch(`${http.url}/readyz`)).status).toBe(200);
    http.closing.abort();
    expect((await fetch(`${http.url}/readyz`)).status).toBe(503);
  });
});

describe("a connection behind an answer", () => {
  it("is closed when no token was shown, and kept when one was", async () => {
    await using http = await startHttp();
    const authorization = `Bearer ${webhookToken}`;
    const connectionOf = async (path: string, init?: RequestInit) => (await fetch(`${http.url}${path}`, init)).headers.get("connection");
    expect(await connectionOf("/healthz")).toBe("close");
    expect(await connectionOf("/nothing")).toBe("close");
    const body = JSON.stringify({ version: "4", alerts: [] });
    const headers = { "content-type": "application/json" };
    expect(await connectionOf("/webhooks/alertmanager", { method: "POST", body, headers })).toBe("close");
    expect(await connectionOf("/webhooks/alertmanager", { method: "POST", body, headers: { ...headers, authorization } })).toBe(
      "keep-alive",
    );
  });
});
