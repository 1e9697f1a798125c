import { randomBytes } from "node:crypto";
import { afterEach, expect, it } from "@jest/globals";
import { freePort } from "../demo/free-ports.ts";
import { serveLoopback } from "../demo/simulators/serve-loopback.ts";
import { createIntake, type Intake } from "../src/alerts/create-intake.ts";
import { parseNotification } from "../src/alerts/notification.ts";
import { startPoll } from "../src/alerts/poll.ts";
import { createOpenAlerts } from "../src/alerts/redis-open-alerts.ts";
import { createAcceptStore, createRunbookBytes } from "../src/alerts/redis-store.ts";
import { createSystemClock } from "../src/core/clock.ts";
import { createUlids } from "../src/core/ulid.ts";
import { type AlertmanagerClient, createAlertmanagerClient } from "../src/integrations/alertmanager/create-alertmanager-client.ts";
import { runKeys } from "../src/platform/redis/run-keys.ts";
import { createRunReader } from "../src/runs/redis-run-reader.ts";
import { aRunbook, aStep } from "./builders/a-runbook.ts";
import { createRecordedLog } from "./fakes/recorded-log.ts";
import { startAlertmanager } from "./servers/alertmanager.ts";
import { holdRedis } from "./servers/hold-redis.ts";
import type { ServiceOnPort } from "./servers/start-on-port.ts";

const clock = createSystemClock();
const { signal } = new AbortController();
const closers: (() => Promise<void> | void)[] = [];
const held = holdRedis();
let intake: Intake;

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  await held.redis.flushall();
});

const runbook = aRunbook([aStep("look", { action: null })], {
  id: "burn",
  source: "# Runbook: Burn\n",
  target: "thing/${{ params.thing }}",
  params: { thing: { type: "string", from: "alert.labels.thing" } },
});

const match = (labels: { readonly [name: string]: string }) => (labels["alertname"] === "Burn" ? runbook : undefined);

function openIntake(): Intake {
  const bytes = createRunbookBytes(held.redis);
  return createIntake({
    store: createAcceptStore(held.redis, { now: () => clock.now(), bytes }),
    bytes,
    wakeQueue: { enqueue: () => undefined },
    library: { match },
    guards: () => ({ kind: "allow", claims: [] }),
    clock,
    ids: createUlids(() => clock.now(), randomBytes),
    publish: () => undefined,
  });
}

/** Our webhook; `before` is asked with the number of the message and answers a status, or lets it through. */
async function listen(port: number, before: (message: number) => Promise<number | undefined>): Promise<{ decisions: string[] }> {
  const decisions: string[] = [];
  let messages = 0;
  const server = await serveLoopback((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      messages += 1;
      void before(messages).then(async (status) => {
        if (status !== undefined) return response.writeHead(status).end();
        const parsed = parseNotification(JSON.parse(body), clock.now());
        if (!parsed.ok) return response.writeHead(400).end();
        decisions.push(...(await intake.accept(parsed.notification)).map(({ decision }) => decision));
        return response.writeHead(202).end();
      });
    });
  }, port);
  closers.push(async () => server[Symbol.asyncDispose]());
  return { decisions };
}

function configured(port: number): string {
  return JSON.stringify({
    route: { receiver: "us", group_by: ["alertname"], group_wait: "0s", group_interval: "1s", repeat_interval: "1h" },
    receivers: [{ name: "us", webhook_configs: [{ url: `http://127.0.0.1:${port}/webhooks/alertmanager` }] }],
  });
}

async function started(server: Promise<ServiceOnPort>): Promise<AlertmanagerClient> {
  const running = await server;
  closers.push(async () => running[Symbol.asyncDispose]());
  const client = createAlertmanagerClient({ url: running.url, clock: createSystemClock() });
  closers.push(async () => client.close());
  return client;
}

async function fire(clients: readonly AlertmanagerClient[]): Promise<void> {
  const now = clock.now();
  const alert = { labels: { alertname: "Burn", thing: "checkout" }, annotations: {}, startsAt: now, endsAt: now + 600_000 };
  for (const client of clients) expect(await client.send(alert, signal)).toEqual({ kind: "sent" });
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 40_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`It never came to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

const runs = async () => (await createRunReader(held.redis, clock).list({}, { limit: 10 }))?.items ?? [];

it("a receiver that was down: the poll finds the alert, and the webhook that comes later joins its one run", async () => {
  intake = openIntake();
  const port = await freePort();
  const alertmanager = await started(startAlertmanager({ config: configured(port) }));
  await fire([alertmanager]);
  const found: string[] = [];
  const drain = new AbortController();
  const poll = startPoll({
    alertmanagers: [{ ...alertmanager, name: "am" }],
    intake,
    open: createOpenAlerts(held.redis),
    match: (labels) => match(labels)?.id,
    triggers: () => [],
    clock,
    everyMs: 200,
    graceMs: 0,
    settlesMs: 0,
    minIntervalMs: 50,
    drain: drain.signal,
    publish: (event) => void (event.kind === "poll_corrected" && found.push(`${event.found} ${event.count}`)),
    log: createRecordedLog(),
  });
  closers.push(async () => {
    drain.abort();
    await poll.close();
  });
  await until("a run", async () => (await runs()).length > 0);
  expect(found).toEqual(["missed 1"]);

  const { decisions } = await listen(port, async () => undefined);
  await until("a webhook", () => decisions.length > 0);
  expect(decisions[0]).toBe("joined");
  expect(await runs()).toMatchObject([{ source: "poll", target: "thing/checkout" }]);

  const [run] = await runs();
  await alertmanager.send(
    { labels: { alertname: "Burn", thing: "checkout" }, annotations: {}, startsAt: clock.now() - 60_000, endsAt: clock.now() - 1000 },
    signal,
  );
  await until("the end is told", async () => (await held.redis.hexists(runKeys.run(run?.id ?? ""), "resolved")) === 1);
  expect(await createOpenAlerts(held.redis)()).toEqual([]);
}, 60_000);

it("two clustered Alertmanagers deliver one alert several times to a receiver that is slow and failing: one run", async () => {
  intake = openIntake();
  const port = await freePort();
  // The first message fails, and the second takes longer than the peer waits for it.
  const { decisions } = await listen(port, async (message) => {
    if (message === 1) return 503;
    if (message === 2) await new Promise((resolve) => setTimeout(resolve, 3000));
    return undefined;
  });
  const [one, two] = [await freePort(), await freePort()];
  const members = await Promise.all([
    started(startAlertmanager({ config: configured(port), cluster: { port: one, peers: [two], peerTimeout: "500ms" } })),
    started(startAlertmanager({ config: configured(port), cluster: { port: two, peers: [one], peerTimeout: "500ms" } })),
  ]);
  await fire(members);
  await until("the alert was delivered twice", () => decisions.length >= 2);
  expect(decisions.filter((decision) => decision === "enqueued")).toHaveLength(1);
  expect(decisions.filter((decision) => decision !== "enqueued" && decision !== "joined")).toEqual([]);
  expect(await runs()).toMatchObject([{ source: "webhook", target: "thing/checkout" }]);
}, 60_000);
