import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { weakWords } from "./generate-response.ts";
import type { ServedModel } from "./model-catalogue.ts";
import type { Fault } from "./model-fault.ts";
import { type ModelServer, startModelServer } from "./model-server.ts";

const fast = { firstTokenMs: 0, inputTokensPerSecond: 1e9, outputTokensPerSecond: 1e9 };
const model = "claude-sonnet-4-5";
const long = "All code is reviewed by two people. ".repeat(160);
const hello = { model, max_tokens: 200, messages: [{ role: "user", content: "hello" }] };

let server: ModelServer;
beforeEach(async () => {
  server = await startModelServer({ seed: 7, latency: fast });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

interface PostOptions {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly to?: ModelServer;
}

async function post(body: unknown, { path = "/v1/messages", headers = {}, to = server }: PostOptions = {}) {
  const response = await fetch(`${to.url}${path}`, {
    method: "POST",
    headers: { "x-api-key": "sk-ant-api03-test", "anthropic-version": "2023-06-01", "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: text.startsWith("{") ? JSON.parse(text) : undefined };
}

/** A model that is not of the shipped price table. */
const leaving: ServedModel = {
  id: "leaving",
  inputPerMillion: 1_000_000,
  outputPerMillion: 2_000_000,
  minCacheableTokens: 1024,
  contextTokens: 8000,
  maxOutputTokens: 1000,
  bytesPerToken: 4,
  retirement: { deprecatedAt: Date.UTC(2026, 0, 1), retiresAt: Date.UTC(2026, 5, 1) },
};

describe("the model server", () => {
  it("serves and lists the models that it is given, with their retirement", async () => {
    await using other = await startModelServer({ latency: fast, models: [leaving] });
    expect((await post({ ...hello, model: "leaving" }, { to: other })).status).toBe(200);
    expect((await post(hello, { to: other })).status).toBe(404);
    // As the provider's own client sends its key.
    const headers = { authorization: "Bearer sk-ant-api03-test", "anthropic-version": "2023-06-01" };
    const listed = await (await fetch(`${other.url}/v1/models?limit=10`, { headers })).json();
    expect(listed).toMatchObject({
      data: [{ id: "leaving", lifecycle: "deprecated", retires_at: "2026-06-01T00:00:00.000Z", max_input_tokens: 8000 }],
      has_more: false,
    });
  });

  it("lets a model fail at a share of its users, in every reply to them", async () => {
    server.weaken({ model, users: "TICKET", share: 0.5 });
    const textFor = async (user: string, content: string) =>
      (await post({ ...hello, messages: [{ role: "user", content }], metadata: { user_id: user } })).json.content[0].text;
    const texts = [await textFor("TICKET-1", "a"), await textFor("TICKET-2", "a"), await textFor("TICKET-2", "b"), await textFor("S", "a")];
    expect(texts.map((text) => text.startsWith(weakWords))).toEqual([false, true, true, false]);
  });

  it("answers a message with usage, request id and nulls where the API has nulls", async () => {
    const { status, headers, json } = await post(hello);
    expect(status).toBe(200);
    expect(headers.get("request-id")).toMatch(/^req_/);
    expect(json).toMatchObject({
      id: expect.stringMatching(/^msg_/),
      type: "message",
      role: "assistant",
      model,
      content: [{ type: "text", text: expect.any(String) }],
      stop_reason: "end_turn",
      stop_sequence: null,
      container: null,
      usage: {
        input_tokens: 2,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
        server_tool_use: null,
        service_tier: "standard",
      },
    });
    expect(json.usage.output_tokens).toBeGreaterThan(0);
  });

  it("counts tokens as messages bills them", async () => {
    const body = { ...hello, system: long };
    const counted = await post({ model, messages: hello.messages, system: long }, { path: "/v1/messages/count_tokens" });
    const answered = await post(body);
    expect(counted.json).toEqual({ input_tokens: answered.json.usage.input_tokens });
  });

  it("writes a marked prefix once, reads it afterwards and bills both", async () => {
    const body = { ...hello, system: [{ type: "text", text: long, cache_control: { type: "ephemeral" } }] };
    const first = (await post(body)).json.usage;
    const second = (await post({ ...body, messages: [{ role: "user", content: "again" }] })).json.usage;
    expect(first.cache_creation_input_tokens).toBe(first.cache_creation.ephemeral_5m_input_tokens);
    expect(first.cache_creation_input_tokens).toBeGreaterThan(1024);
    expect(second).toMatchObject({ cache_read_input_tokens: first.cache_creation_input_tokens, cache_creation_input_tokens: 0 });
    const [write, read] = server.stats().calls;
    const written = first.cache_creation_input_tokens * 3 * 1.25 + first.input_tokens * 3 + first.output_tokens * 15;
    expect(write?.costMicroUsd).toBe(Math.round(written));
    expect(read?.costMicroUsd).toBe(Math.round(second.cache_read_input_tokens * 0.3 + second.input_tokens * 3 + second.output_tokens * 15));
  });

  it("answers equal requests of equal servers equally, whatever order they come in", async () => {
    await using twin = await startModelServer({ seed: 7, latency: fast });
    await using stranger = await startModelServer({ seed: 8, latency: fast });
    const other = { ...hello, messages: [{ role: "user", content: "other" }] };
    const first = [(await post(hello)).json, (await post(other)).json];
    const otherOfTwin = (await post(other, { to: twin })).json;
    expect([(await post(hello, { to: twin })).json, otherOfTwin]).toEqual(first);
    expect((await post(hello, { to: stranger })).json).not.toEqual(first[0]);
  });

  it("streams the same message as events", async () => {
    const { text, headers } = await post({ ...hello, stream: true });
    expect(headers.get("content-type")).toContain("text/event-stream");
    const names = [...text.matchAll(/^event: (\S+)$/gm)].map(([, name]) => name);
    expect(names[0]).toBe("message_start");
    expect(names).toContain("content_block_delta");
    expect(names.slice(-2)).toEqual(["message_delta", "message_stop"]);
    const deltas = [...text.matchAll(/^data: (.+)$/gm)].map(([, data = ""]) => JSON.parse(data));
    expect(deltas.find(({ type }) => type === "message_delta").usage.output_tokens).toBeGreaterThan(1);
  });

  it("calls a forced tool with an input that has the schema's properties", async () => {
    const schema = { type: "object", properties: { title: { type: "string" }, risk: { enum: ["low", "high"] } } };
    const { json } = await post({ ...hello, tools: [{ name: "plan", input_schema: schema }], tool_choice: { type: "tool", name: "plan" } });
    expect(json).toMatchObject({
      stop_reason: "tool_use",
      content: [{ type: "tool_use", name: "plan", input: { title: expect.any(String) } }],
    });
    expect(["low", "high"]).toContain(json.content[0].input.risk);
  });

  it.each([
    ["no key", hello, { "x-api-key": "" }, 401, "authentication_error", "x-api-key"],
    ["no JSON", "{", {}, 400, "invalid_request_error", "not valid JSON"],
    ["no max_tokens", { model, messages: hello.messages }, {}, 400, "invalid_request_error", "max_tokens: Field required"],
    ["an unknown model", { ...hello, model: "gpt-5" }, {}, 404, "not_found_error", "model: gpt-5"],
    ["too many tokens asked", { ...hello, max_tokens: 1e6 }, {}, 400, "invalid_request_error", "max_tokens: 1000000 >"],
    ["a prompt over the context", { ...hello, system: "x".repeat(800_000) }, {}, 400, "invalid_request_error", "prompt is too long"],
    ["a pre-warm that streams", { ...hello, max_tokens: 0, stream: true }, {}, 400, "invalid_request_error", "max_tokens: 0"],
  ])("refuses %s with the provider's error body", async (_name, body, headers, status, type, message) => {
    const answer = await post(body, { headers });
    expect(answer.status).toBe(status);
    expect(answer.json).toEqual({
      type: "error",
      error: { type, message: expect.stringContaining(message), details: null },
      request_id: answer.headers.get("request-id"),
    });
  });

  it("asks for the version header and answers 404 elsewhere", async () => {
    const response = await fetch(`${server.url}/v1/messages`, { method: "POST", headers: { "x-api-key": "k" } });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("anthropic-version");
    expect((await post({}, { path: "/v1/complete" })).json.error.type).toBe("not_found_error");
  });

  const quirks: [Fault, number, string, string | null, string | null][] = [
    [{ kind: "rate_limited", retryAfterSeconds: 3 }, 429, "rate_limit_error", null, "3"],
    [{ kind: "ramp_limited" }, 429, "rate_limit_error", "ramp_limit_exceeded", "5"],
    [{ kind: "spend_limited" }, 429, "rate_limit_error", "enforced_spend_limit_reached", null],
    [{ kind: "billing" }, 402, "billing_error", "linked_organization_spend_limit_reached", null],
    [{ kind: "overloaded" }, 529, "overloaded_error", null, null],
    [{ kind: "api_error" }, 500, "api_error", null, null],
    [{ kind: "timeout" }, 504, "timeout_error", null, null],
  ];
  it.each(quirks)("answers the quirk %j and stops when it is switched off", async (fault, status, type, code, retryAfter) => {
    const injected = server.inject(fault);
    const answer = await post(hello);
    expect(answer.status).toBe(status);
    expect(answer.json.error).toMatchObject({ type, details: code === null ? null : { error_code: code } });
    expect(answer.headers.get("retry-after")).toBe(retryAfter);
    injected[Symbol.dispose]();
    expect((await post(hello)).status).toBe(200);
    expect(server.stats().byStatus).toEqual({ [String(status)]: 1, 200: 1 });
  });

  it("limits a quirk to a model and to a number of hits", async () => {
    server.inject({ kind: "overloaded", model: "claude-haiku-4-5", times: 1 });
    expect((await post(hello)).status).toBe(200);
    expect((await post({ ...hello, model: "claude-haiku-4-5" })).status).toBe(529);
    expect((await post({ ...hello, model: "claude-haiku-4-5" })).status).toBe(200);
  });

  it("can lose the connection of a call that was billed", async () => {
    server.inject({ kind: "connection_reset", times: 1 });
    await expect(post(hello)).rejects.toThrow("fetch failed");
    expect(server.stats().calls).toMatchObject([{ status: 0, error: "connection_reset", costMicroUsd: expect.any(Number) }]);
    expect(server.stats().costMicroUsd).toBeGreaterThan(0);
  });

  it("can answer nulls for the cache fields, miss the cache, and refuse", async () => {
    const body = { ...hello, system: [{ type: "text", text: long, cache_control: { type: "ephemeral" } }] };
    await post(body);
    const missing = server.inject({ kind: "cache_miss" });
    expect((await post(body)).json.usage.cache_read_input_tokens).toBe(0);
    missing[Symbol.dispose]();
    const nulls = server.inject({ kind: "null_cache_fields" });
    expect((await post(body)).json.usage).toMatchObject({
      cache_creation_input_tokens: null,
      cache_read_input_tokens: null,
      cache_creation: null,
    });
    nulls[Symbol.dispose]();
    server.inject({ kind: "refusal" });
    expect((await post(body)).json).toMatchObject({ stop_reason: "refusal", content: [] });
  });

  it("limits requests per minute and says when to come back", async () => {
    await using limited = await startModelServer({ latency: fast, requestsPerMinute: 2 });
    const statuses = [await post(hello, { to: limited }), await post(hello, { to: limited }), await post(hello, { to: limited })];
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(Number(statuses[2]?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  });

  it("names the application's user of a call", async () => {
    await post({ ...hello, metadata: { user_id: "ticket-1" } });
    expect(server.stats().calls[0]).toMatchObject({ userId: "ticket-1", status: 200 });
  });
});
