/**
 * The process of the crash test: intake, queue, worker and sweeper over a real Redis, wired like the product, which kills itself with
 * SIGKILL at one named point. Environment: RB_REDIS (as REDIS_URL), RB_REPLICAS (as REDIS_WAIT_REPLICAS), RB_WORKER, RB_TARGET (URL of the counting target),
 * RB_RUNBOOK (file), RB_UNDONE (file of a second runbook, for alerts with `kind: undone`), RB_EFFECT, RB_KILL (`KP0`…`KP9` or empty), RB_STEP (for KP4–KP7),
 * RB_LIMIT (effects per two seconds over all processes; empty: none). Prints `ready <port>`, and `name <name>` when it works.
 *
 * For the chaos suite also: RB_PROCESS (a number that names the process, as two of different PID namespaces may have one pid), RB_HOST (instead of RB_WORKER:
 * the name is taken under this host), RB_OWN_REDIS and RB_PATH (instead of RB_REDIS: the folder of a Redis of its own, and the PATH that it is started
 * with), RB_CLOCK (file with the milliseconds by which its host's clock is off), RB_OFFSETS (file that hears how far its clock is from the machine's), RB_SMTP and RB_HOOK
 * (where people are told of questions), RB_BREAK (a protection that is left out, to prove that it is missed: `intent` `fencing` `fitness` `names` `orphan` `clock` `deadline` `lanes`).
 */
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Effect } from "../../packages/sdk/src/wire/plans.ts";
import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import { createIntake } from "../../src/alerts/create-intake.ts";
import { createAcceptStore, createRunbookBytes } from "../../src/alerts/redis-store.ts";
import { createRejectedSamples } from "../../src/alerts/rejected-samples.ts";
import type { AcceptStore } from "../../src/alerts/store.ts";
import { createWebhook } from "../../src/alerts/webhook.ts";
import { acceptOnFitStore, journalOnFitStore } from "../../src/app/on-fit-store.ts";
import type { Action, BoundAction } from "../../src/core/action.ts";
import { createSystemClock } from "../../src/core/clock.ts";
import { StepFailure } from "../../src/core/failure.ts";
import type { Log } from "../../src/core/log.ts";
import { createSystemRandom } from "../../src/core/random.ts";
import type { StoreGate } from "../../src/core/store-gate.ts";
import { createUlids } from "../../src/core/ulid.ts";
import { createFreezeStore } from "../../src/freeze/redis-store.ts";
import { parseRedisUrl } from "../../src/platform/config/redis-url.ts";
import { createApp } from "../../src/platform/http/create-app.ts";
import { createHttpServer } from "../../src/platform/http/create-http-server.ts";
import { createProcessView, type ProcessView } from "../../src/platform/process-identity.ts";
import { addressOf, type ConnectionPurpose, connectRedis, type RedisAddress, untilReady } from "../../src/platform/redis/connection.ts";
import { startEmbeddedRedis } from "../../src/platform/redis/embedded-server.ts";
import { createSharedClock, readRedisTime } from "../../src/platform/redis/shared-clock.ts";
import { startStoreWatch } from "../../src/platform/redis/store-watch.ts";
import { parseRunbook } from "../../src/runbooks/parse/parse-runbook.ts";
import { createBullWakeQueue } from "../../src/runs/bull-wake-queue.ts";
import { createConcurrencyLimiter } from "../../src/runs/concurrency-limiter.ts";
import { createExecutor } from "../../src/runs/engine/execute-run.ts";
import { startRunWorker } from "../../src/runs/jobs.ts";
import { createPinnedRunbooks } from "../../src/runs/redis-pinned-runbooks.ts";
import { createRunNotices } from "../../src/runs/redis-run-notices.ts";
import { createRunJournal } from "../../src/runs/redis-store.ts";
import { slotLeaseMs, takeWorkerSlot } from "../../src/runs/redis-worker-slot.ts";
import { createRunInProcess } from "../../src/runs/run-in-process.ts";
import type { Append, AppendResult, Lease, RunJournal } from "../../src/runs/store.ts";
import { startSweep } from "../../src/runs/sweep.ts";
import { createSwitchAction, refuseAction } from "../fakes/switch-action.ts";
import { recordOffsets, shiftHostClock } from "./machine-clock.ts";
import { notifyByMail } from "./notify-by-mail.ts";

const setting = (name: string): string => process.env[name] ?? "";
const kill = setting("RB_KILL");
const broken = setting("RB_BREAK");
const killStep = setting("RB_STEP");
const effectSchema = z.enum(["read", "set", "keyed", "probed", "once"]);
const usualEffect = effectSchema.parse(setting("RB_EFFECT"));
const pokeParameters = z.strictObject({ value: z.string(), effect: effectSchema.optional() });
const target = setting("RB_TARGET");
const processNumber = Number(setting("RB_PROCESS") || process.pid);
if (setting("RB_CLOCK") !== "") shiftHostClock(setting("RB_CLOCK"));
const host = createSystemClock();
const drain = new AbortController().signal;
const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (fields, message) => void process.stderr.write(`${message} ${String(fields["error"])}\n`),
  ofRun: () => log,
};
const nothing = () => undefined;

function dieAt(point: string, step?: string): void {
  if (kill === point && (step === undefined || step === killStep)) process.kill(process.pid, "SIGKILL");
}

function redisAt(text: string): RedisAddress {
  const place = parseRedisUrl(text);
  if (place === undefined || place.kind === "embedded") throw new Error(`RB_REDIS is no address: ${text}`);
  return addressOf(place);
}

const poke: Action = {
  name: "poke",
  summary: "Changes one value at the counting target.",
  parameters: pokeParameters,
  result: { ok: "Whether it was applied" },
  effectOf: (parameters) => effectSchema.catch(usualEffect).parse(parameters["effect"]),
  risk: "lowers",
  probes: true,
  undoes: false,
  bind(parameters) {
    const { value, effect = usualEffect } = pokeParameters.parse(parameters);
    return { ok: true, action: pokeAction(value, effect) };
  },
};

function pokeAction(value: string, effect: Effect): BoundAction {
  return {
    name: "poke",
    effect,
    risk: "lowers",
    timeoutMs: 3000,
    plan: async () => ({ summary: `Poke ${value}`, targets: [`thing/${value}`], changes: [], reversible: false, data: {} }),
    async run(_plan, context) {
      const body = JSON.stringify({ run: context.runId, step: context.stepId, effect, key: context.idempotencyKey, pid: processNumber });
      const sending = fetch(`${target}/effect`, { method: "POST", body, signal: context.signal });
      // The bytes are on their way; the target answers late on purpose.
      if (kill === "KP5" && context.stepId === killStep) setTimeout(() => process.kill(process.pid, "SIGKILL"), 60);
      const reply = await sending;
      if (!reply.ok) throw new StepFailure({ reason: "refused_by_target", message: `HTTP ${reply.status}`, applied: "no" });
      dieAt("KP6", context.stepId);
      return { kind: "done", output: { ok: true } };
    },
    async probe(_plan, context) {
      const reply = await fetch(`${target}/probe?run=${context.runId}&step=${context.stepId}`);
      const { applied } = z.object({ applied: z.boolean() }).parse(await reply.json());
      return applied ? { kind: "applied", output: { ok: true } } : { kind: "not_applied" };
    },
  };
}

const actions = [poke, createSwitchAction(target), refuseAction];
const find = (name: string) => actions.find((action) => action.name === name);
const catalogue = { names: actions.map(({ name }) => name), find };

function load(file: string, path: string): Runbook {
  const { runbook, diagnostics } = parseRunbook({ file, source: readFileSync(path, "utf8"), catalogue });
  if (runbook === undefined) throw new Error(JSON.stringify(diagnostics));
  return runbook;
}
const runbook = load("crash.md", setting("RB_RUNBOOK"));
const undone = setting("RB_UNDONE") === "" ? undefined : load("undone.md", setting("RB_UNDONE"));

const view = createProcessView();
/** To be missed: every process takes every other for one of its own PID namespace. */
const blindView: ProcessView = { self: { ...view.self, pidNamespace: "one" }, startTimeOf: view.startTimeOf };
const usedView = broken === "names" ? blindView : view;

/** The address of a Redis of our own, which this process starts. */
async function startEmbedded(folder: string): Promise<RedisAddress> {
  // To be missed: nothing says that an earlier process left a server, and no other process is seen.
  if (broken === "orphan") for (const name of ["owner.json", "redis.sock"]) rmSync(join(folder, "redis", name), { force: true });
  const visible =
    broken === "orphan" ? { ...view, startTimeOf: (pid: number) => (pid === process.pid ? view.startTimeOf(pid) : undefined) } : view;
  const random = createSystemRandom();
  const options = {
    path: setting("RB_PATH"),
    places: [],
    host: hostname(),
    view: visible,
    clock: host,
    random,
    log,
    died: () => process.exit(1),
  };
  const { socketPath } = await startEmbeddedRedis({ folder, ...options });
  return { socketPath };
}

const embeddedFolder = setting("RB_OWN_REDIS");
const address = embeddedFolder === "" ? redisAt(setting("RB_REDIS")) : await startEmbedded(embeddedFolder);
const replicas = Number(setting("RB_REPLICAS") || 0);
const shared = connectRedis(address, "request");
const followed = createSharedClock(host, async () => readRedisTime(shared));
const syncClock = async () => followed.sync();
const watch = startStoreWatch({ redis: shared, durableBy: undefined, clock: host, log, signal: drain, beforeUse: syncClock });
const connect = (purpose: ConnectionPurpose): Redis => {
  const connection = connectRedis(address, purpose);
  watch.watch(connection);
  return connection;
};
const alwaysFit: StoreGate = { isFit: () => true, untilFit: async () => undefined, onChange: () => () => undefined };
const store = broken === "fitness" ? alwaysFit : watch;
const redis = connect("worker");
const requests = connect("request");
await Promise.all([untilReady(shared, host), untilReady(requests, host)]);
if (requests.status === "ready") await watch.untilJudged(host);

await followed.sync();
host.every(30_000, () => void followed.sync());
const source = broken === "clock" ? host : followed;
const clock = setting("RB_OFFSETS") === "" ? source : recordOffsets(source, setting("RB_OFFSETS"), processNumber);

const bytes = createRunbookBytes(requests);
const acceptStore = acceptOnFitStore(createAcceptStore(requests, { now: () => clock.now(), bytes, replicas }), store);
const dyingStore: AcceptStore = {
  read: async (keys) => acceptStore.read(keys),
  async accept(writes) {
    dieAt("KP0");
    const replies = await acceptStore.accept(writes);
    dieAt("KP1");
    return replies;
  },
};
const queue = createBullWakeQueue(redis, () => undefined);
const doorbell = {
  enqueue(runId: string) {
    if (kill === "KP2") setTimeout(() => process.kill(process.pid, "SIGKILL"), 50);
    else queue.enqueue(runId);
  },
};

const intake = createIntake({
  store: dyingStore,
  bytes,
  wakeQueue: doorbell,
  library: { match: (labels) => (labels["kind"] === "undone" ? undone : runbook) },
  guards: () => ({ kind: "allow", claims: [] }),
  clock,
  ids: createUlids(() => clock.now(), randomBytes),
  publish: nothing,
});
const samples = createRejectedSamples();
const webhook = createWebhook({ intake, tokens: ["0123456789abcdef"], samples, clock, log, closing: drain, storeGate: store });
const tokens = { verify: async () => undefined };
const app = createApp({ routes: [], endpoints: [webhook], tokens, clock, log, closing: drain, storeGate: store });
const server = await createHttpServer(app, { host: "127.0.0.1", port: 0 }, clock);
process.stdout.write(`ready ${server.address.port}\n`);

await store.untilFit(drain);

/** A name under the given host, as the product's workers take it. Its loss ends this process. */
async function takeName(): Promise<{ readonly name: string; readonly isPredecessorDead: boolean }> {
  const slot = await takeWorkerSlot(redis, { host: setting("RB_HOST"), view: usedView, nonce: randomUUID() });
  const renew = async (): Promise<void> => {
    if (await slot.renew()) return;
    process.stdout.write("lost\n", () => process.exit(1));
  };
  host.every(slotLeaseMs / 5, () => void renew().catch(nothing));
  return slot;
}

const { name, isPredecessorDead } = setting("RB_HOST") === "" ? { name: setting("RB_WORKER"), isPredecessorDead: true } : await takeName();
process.stdout.write(`name ${name}\n`);

const ledger = journalOnFitStore(
  createRunJournal(redis, {
    worker: name,
    leaseMs: 1000,
    nonce: () => `${processNumber}-${randomUUID()}`,
    clock,
    replicas,
    clockSetBack: syncClock,
  }),
  { store, claims: store },
);
const dyingLedger: RunJournal = {
  leaseMs: ledger.leaseMs,
  async renew(lease) {
    const renewed = await ledger.renew(lease);
    return broken === "fencing" ? { ...renewed, renewed: true } : renewed;
  },
  async claim(runId) {
    const claimed = await ledger.claim(runId);
    if (!("refused" in claimed)) dieAt("KP3");
    return claimed;
  },
  async append(lease, change) {
    const reply = await brokenAppend(lease, change);
    for (const entry of change.entries) dieAfter(entry, change);
    return reply;
  },
};

function dieAfter(entry: Append["entries"][number], change: Append): void {
  if (entry.kind === "intent") dieAt("KP4", entry.step);
  if (entry.kind === "completed") dieAt("KP7", entry.step);
  if (entry.kind === "asked") dieAt("KP8");
  if (change.state === "ended") dieAt("KP9");
}

/** The ledger as it is, unless a protection is to be missed. */
async function brokenAppend(lease: Lease, change: Append): Promise<AppendResult> {
  if (broken === "intent") return ledger.append(lease, { ...change, entries: change.entries.filter(({ kind }) => kind !== "intent") });
  const reply = await ledger.append(lease, change);
  if (broken !== "fencing" || reply.kind !== "fenced") return reply;
  const [token, head] = await redis.hmget(`{rb}:run:${lease.runId}`, "token", "head");
  if (typeof token !== "string" || typeof head !== "string") return reply;
  return ledger.append({ ...lease, token }, { ...change, head });
}

const freezeBoard = createFreezeStore(redis, { notices: createRunNotices(redis) });
const limit = Number(setting("RB_LIMIT"));
/** To be missed: a delivery may take as long as it likes. */
const deliveryMs = broken === "deadline" ? 3_600_000 : 8000;
const announce =
  setting("RB_SMTP") === ""
    ? async () => undefined
    : notifyByMail(redis, {
        smtpUrl: setting("RB_SMTP"),
        hookUrl: setting("RB_HOOK"),
        limits: { deliveryMs, leaseMs: deliveryMs + 2000 },
        oneLane: broken === "lanes",
        clock,
        log,
        drain,
        store,
      });
const executor = createExecutor(
  {
    journal: dyingLedger,
    runbooks: createPinnedRunbooks(bytes, catalogue),
    actions: { find },
    freezes: async () => freezeBoard.list(),
    guard: ({ target: thing }) => ({
      kind: "allow",
      claims: [
        ...(thing === undefined ? [] : [{ lock: `target:${thing}` }]),
        ...(limit > 0 ? [{ bucket: "pokes", max: limit, windowMs: 2000, amount: 1 }] : []),
      ],
    }),
    metrics: { query: async () => ({ kind: "unavailable", reason: "none" }) },
    announce,
    publish: nothing,
  },
  {
    clock,
    questionId: () => `q_${randomUUID()}`,
    intervals: { quarantineMs: 500, prerequisiteRetryMs: 500, preflightMaxAgeMs: 30_000 },
    maxStalls: 10,
    cooldownOf: () => [],
  },
);
if (isPredecessorDead) await ledger.reclaimLeases();
const limiter = createConcurrencyLimiter(5);
const run = createRunInProcess(executor, { limiter, drain, log, store });
startRunWorker(run, { redis, concurrency: 5, drain, clock, log, store });
startSweep(run, { runs: ledger, limiter, intervalMs: 200, jitter: () => 0.9 + 0.2 * Math.random(), clock, log, signal: drain });
