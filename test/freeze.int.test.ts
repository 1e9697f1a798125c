import { readFile, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { type LoopbackServer, serveLoopback } from "../demo/simulators/serve-loopback.ts";
import { adminTokenPath } from "../src/platform/config/data-folder.ts";
import { aFiringAlert, postAlerts } from "./servers/post-alerts.ts";
import { type RedisServer, startRedisServer } from "./servers/redis-server.ts";
import { aProductFolder, type ProductFolder, type RunningProduct, startProduct } from "./servers/running-product.ts";
import { until } from "./servers/until.ts";

/** The kill switch in the product's own wiring: server, worker, Redis, a target that counts. */
const documentOf = (target: string) => `---
triggers: [FreezeAlert]
target: thing/\${{ alert.labels.thing }}
mode: auto
---
# Runbook: Two changes

## Scenario
Two changes of one target.

## Procedure

1. **First change**: Changes.
   - Action: \`http-request\`
     \`\`\`yaml
     url: ${target}/change
     method: POST
     \`\`\`
2. **Second change**: Changes again.
   - Action: \`http-request\`
     \`\`\`yaml
     url: ${target}/change
     method: POST
     \`\`\`
`;

let redis: RedisServer;
let folder: ProductFolder;
let product: RunningProduct;
let target: LoopbackServer;
let arrivals: number;
let onArrival: (response: ServerResponse) => Promise<void>;

beforeEach(async () => {
  arrivals = 0;
  onArrival = async () => undefined;
  target = await serveLoopback((_request, response) => {
    arrivals += 1;
    void onArrival(response).then(() => response.end("{}"));
  });
  redis = await startRedisServer();
  folder = await aProductFolder({ "two-changes.md": documentOf(target.url) });
  product = await start();
});

afterEach(async () => {
  await product[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const freezeFile = () => join(folder.path, "freeze");

async function start(): Promise<RunningProduct> {
  const env = { REDIS_URL: `unix://${redis.socketPath}`, RUNBOOKD_HTTP_ALLOW: target.url, RUNBOOKD_FREEZE_FILE: freezeFile() };
  return startProduct(folder.path, { env });
}

async function api(method: string, path: string, body?: object): Promise<unknown> {
  const token = (await readFile(adminTokenPath(folder.path), "utf8")).trim();
  const response = await fetch(`${product.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return response.json();
}

async function fire(thing: string) {
  return (await postAlerts(product.url, [aFiringAlert("FreezeAlert", thing)])).decisions[0];
}

const runSchema = z.object({ summary: z.object({ state: z.string(), note: z.string().optional() }) });

async function untilRun(id: string, state: string) {
  return until(`run ${id} is ${state}`, async () => {
    const { summary } = runSchema.parse(await api("GET", `/api/runs/${id}`));
    return summary.state === state && summary;
  });
}

it("set while an effect is under way holds back the next one and every new run, outlives the process, and lets all go on when lifted", async () => {
  onArrival = async () => void (await api("PUT", "/api/freeze", { reason: "a release" }));
  const started = await fire("one");
  const held = await untilRun(started?.runId ?? "", "suspended");
  expect(held.note).toMatch(/^Frozen \(all\) by .*: a release$/);
  expect(arrivals).toBe(1);
  expect(await fire("two")).toMatchObject({ decision: "paused", reason: expect.stringContaining("a release") });
  expect(await product.runtime.metrics.metrics()).toContain("\nrunbookd_frozen 1\n");
  expect(JSON.stringify(await api("GET", "/readyz"))).toMatch(/Frozen \(all\) by .*: a release/);
  expect(await (await fetch(`${product.url}/readyz`)).json()).toMatchObject({
    conditions: expect.arrayContaining([{ name: "freeze", ok: true, detail: "A freeze is in force." }]),
  });

  await product[Symbol.asyncDispose]();
  await redis.kill();
  await redis.restart();
  product = await start();
  expect(await fire("two")).toMatchObject({ decision: "paused" });
  expect(arrivals).toBe(1);

  onArrival = async () => undefined;
  await api("DELETE", "/api/freeze?scope=all");
  await untilRun(started?.runId ?? "", "ended");
  expect(arrivals).toBe(2);
  expect(await product.runtime.metrics.metrics()).toContain("\nrunbookd_frozen 0\n");
  const late = await fire("two");
  expect(late).toMatchObject({ decision: "enqueued" });
  await untilRun(late?.runId ?? "", "ended");
});

it("by file starts no run while the file is there", async () => {
  await writeFile(freezeFile(), "Redis is being moved");
  expect(await fire("one")).toMatchObject({ decision: "paused", reason: expect.stringContaining("Redis is being moved") });
  await rm(freezeFile());
  const late = await until("the freeze is over", async () => {
    const decision = await fire("one");
    return decision?.decision !== "paused" && decision;
  });
  expect(late).toMatchObject({ decision: "enqueued" });
  await untilRun(late.runId ?? "", "ended");
  expect(arrivals).toBe(2);
});

describe("an effect that is under way when the kill switch is set", () => {
  it.each([
    ["the API", async () => void (await api("PUT", "/api/freeze", { reason: "an outage" }))],
    ["the file", async () => writeFile(freezeFile(), "an outage")],
  ])("is cut, long before its own time is over, and its outcome is asked about as its class says: by %s", async (_name, freeze) => {
    let arrived: () => void = () => undefined;
    const atWork = new Promise<void>((resolve) => (arrived = resolve));
    // A target that is at work for long: it answers byte by byte, so that only the step's own time, or a cut, ends the request.
    onArrival = async (response) => {
      arrived();
      for (response.writeHead(200); !response.destroyed; await new Promise((resolve) => setTimeout(resolve, 100))) response.write(" ");
    };
    const started = await fire("one");
    await atWork;
    await freeze();
    await untilRun(started?.runId ?? "", "in_doubt");
    expect(arrivals).toBe(1);
  });
});
