import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startPrometheus } from "../../../test/servers/prometheus.ts";
import type { ServiceOnPort } from "../../../test/servers/start-on-port.ts";
import { defaultRequestLimits } from "../../platform/requests/bounded-request.ts";
import { createPrometheusClient, type PrometheusClient } from "./create-prometheus-client.ts";

const { signal } = new AbortController();
let server: ServiceOnPort;
let client: PrometheusClient;

beforeAll(async () => {
  server = await startPrometheus({ config: "global: {scrape_interval: 1s}\n" });
  client = createPrometheusClient({ url: `${server.url}/` });
});

afterAll(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
});

describe("a real Prometheus", () => {
  it("answers a vector, a scalar, nothing, NaN and infinity as values", async () => {
    expect(await client.query('label_replace(vector(1.5), "a", "b", "", "")', { signal })).toMatchObject({
      kind: "samples",
      samples: [{ labels: { a: "b" }, value: 1.5, at: expect.any(Number) }],
      warnings: [],
    });
    expect(await client.query("1", { signal })).toMatchObject({ samples: [{ labels: {}, value: 1 }] });
    expect(await client.query("nothing_of_this_name", { signal })).toMatchObject({ kind: "samples", samples: [] });
    expect(await client.query("vector(0) / vector(0)", { signal })).toMatchObject({ samples: [{ value: Number.NaN }] });
    expect(await client.query("vector(1) / vector(0)", { signal })).toMatchObject({ samples: [{ value: Number.POSITIVE_INFINITY }] });
  });

  it("is asked about a moment, and about a range", async () => {
    const at = Date.UTC(2026, 0, 5, 12);
    expect(await client.query("vector(time())", { at, signal })).toMatchObject({ samples: [{ value: at / 1000, at }] });
    expect(await client.queryRange("vector(1)", { from: at, to: at + 2000, stepMs: 1000, signal })).toMatchObject({
      kind: "series",
      series: [{ points: [{ at, value: 1 }, { at: at + 1000 }, { at: at + 2000 }] }],
    });
  });

  it("says what is wrong with a query", async () => {
    expect(await client.query("sum(", { signal })).toEqual({ kind: "unavailable", reason: expect.stringContaining("bad_data: ") });
    expect(await client.query('"text"', { signal })).toMatchObject({ kind: "unavailable" });
  });

  it("cannot see an answer that is too large, and does not cut it in half", async () => {
    const small = createPrometheusClient({ url: server.url, limits: { ...defaultRequestLimits, maxBytes: 50 } });
    expect(await small.query("vector(1)", { signal })).toEqual({ kind: "unavailable", reason: "the answer is larger than 50 bytes" });
    await small.close();
  });
});

it("cannot see anything when nothing listens, or when it is cut off", async () => {
  const nobody = createPrometheusClient({ url: "http://127.0.0.1:1" });
  expect(await nobody.query("up", { signal })).toEqual({ kind: "unavailable", reason: expect.stringContaining("ECONNREFUSED") });
  expect(await client.query("up", { signal: AbortSignal.abort() })).toMatchObject({ kind: "unavailable" });
  await nobody.close();
});
