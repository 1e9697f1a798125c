import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createIntake } from "../src/alerts/create-intake.ts";
import { countNotification } from "../src/alerts/metrics.ts";
import { createAcceptStore, createRunbookBytes } from "../src/alerts/redis-store.ts";
import { createRejectedSamples } from "../src/alerts/rejected-samples.ts";
import { createWebhook } from "../src/alerts/webhook.ts";
import { createMetrics, type Metrics } from "../src/app/metrics.ts";
import { packageFolder } from "../src/cli/process-context.ts";
import type { ActionCatalogue } from "../src/core/action.ts";
import { createSystemClock } from "../src/core/clock.ts";
import type { EventSink } from "../src/core/event.ts";
import type { Log } from "../src/core/log.ts";
import { createUlids } from "../src/core/ulid.ts";
import { createFreezeStore } from "../src/freeze/redis-store.ts";
import { evaluateGuardrails } from "../src/guardrails/evaluate-guardrails.ts";
import { createApp } from "../src/platform/http/create-app.ts";
import { createHttpServer } from "../src/platform/http/create-http-server.ts";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { parseRunbook } from "../src/runbooks/parse/parse-runbook.ts";
import { matchTriggers } from "../src/runbooks/runbook-set.ts";
import { createBullWakeQueue } from "../src/runs/bull-wake-queue.ts";
import { createConcurrencyLimiter } from "../src/runs/concurrency-limiter.ts";
import { createExecutor } from "../src/runs/engine/execute-run.ts";
import type { RunEvent } from "../src/runs/engine/run-event.ts";
import { createInProcessDispatcher } from "../src/runs/in-process-dispatcher.ts";
import { startRunWorker } from "../src/runs/jobs.ts";
import { createPinnedRunbooks } from "../src/runs/redis-pinned-runbooks.ts";
import { createRunNotices } from "../src/runs/redis-run-notices.ts";
import { createRunJournal, type RedisRunJournal } from "../src/runs/redis-store.ts";
import { createRunInProcess } from "../src/runs/run-in-process.ts";
import type { RunJournal } from "../src/runs/store.ts";
import { startSweep } from "../src/runs/sweep.ts";
import { benchSet } from "./bench-set.ts";

/*
 * The product under load: HTTP, intake, guardrails, engine, ledger, doorbell, sweep and metrics as they ship, wired with one action that costs nothing.
 * Lifted: the cooldown of runs. Kept: mode, explicit targets, the lock of each target. Arguments: redis socket, port, observer socket.
 */

const concurrency = 50;

async function main([socketPath = "", port = "", observerPath = ""]: readonly string[]): Promise<void> {
  const clock = createSystemClock();
  const ids = createUlids(() => clock.now(), randomBytes);
  const metrics = createMetrics();
  const action = benchSet.create({ target: new Map() });
  const actions = { names: [action.name], find: (name: string) => (name === action.name ? action : undefined) };
  const runbook = readRunbook(actions);

  const worker = connectRedis({ socketPath }, "worker");
  const request = connectRedis({ socketPath }, "request");
  const bytes = createRunbookBytes(request);
  const freezes = createFreezeStore(request, { notices: createRunNotices(request) });
  const drain = new AbortController();
  const random = () => randomBytes(4).readUInt32BE() / 2 ** 32;
  const fail = (error: unknown): void => void process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);

  const ledger = createRunJournal(worker, { worker: "bench", leaseMs: 6000, nonce: () => randomBytes(8).toString("hex"), clock });
  const executor = createExecutor(
    {
      journal: watched(ledger, observerPath),
      runbooks: createPinnedRunbooks(createRunbookBytes(worker), actions),
      actions,
      guard: evaluateGuardrails,
      announce: () => Promise.resolve(),
      metrics: { query: () => Promise.resolve({ kind: "unavailable", reason: "The bench has no Prometheus." }) },
      publish: createBenchRunSink(metrics),
      freezes: async () => freezes.list(),
    },
    { clock, questionId: () => ids("q"), cooldownOf: () => [] },
  );

  const log: Log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (_fields, message) => fail(message),
    error: (fields, message) => fail(`${message} ${JSON.stringify(fields)}`),
    ofRun: () => log,
  };
  const limiter = createConcurrencyLimiter(concurrency);
  const run = createRunInProcess(executor, { limiter, drain: drain.signal, log });
  const queue = createBullWakeQueue(connectRedis({ socketPath }, "worker"), fail);
  const wake = createInProcessDispatcher(run, { queue, limiter, drain: drain.signal });
  const intake = createIntake({
    store: createAcceptStore(request, { now: () => clock.now(), bytes }),
    bytes,
    wakeQueue: wake,
    library: { match: (labels) => matchTriggers([runbook], labels) },
    guards: () => ({ kind: "allow", claims: [] }),
    clock,
    ids,
    publish: ({ decision }) => metrics.alerts.inc({ decision: decision.decision }),
  });
  const webhook = createWebhook({
    intake,
    tokens: [],
    samples: createRejectedSamples(),
    answered: (status, seconds) => countNotification(metrics, status, seconds),
    log,
    clock,
    closing: drain.signal,
  });
  const tokens = { verify: () => Promise.resolve(undefined) };
  const app = createApp({ routes: [], endpoints: [webhook], tokens, log, clock, closing: drain.signal });

  startRunWorker(run, { redis: connectRedis({ socketPath }, "worker"), concurrency, drain: drain.signal, clock, log });
  const jitter = () => 0.9 + 0.2 * random();
  startSweep(run, { runs: ledger, limiter, intervalMs: 1000, jitter, clock, log, signal: drain.signal });
  await createHttpServer(app, { host: "127.0.0.1", port: Number(port) }, clock);
  process.stdout.write("ready\n");
}

function readRunbook(catalogue: ActionCatalogue) {
  const file = join(packageFolder(), "bench", "five-steps.md");
  const { runbook, diagnostics } = parseRunbook({ file, source: readFileSync(file, "utf8"), catalogue });
  if (runbook === undefined)
    throw new Error(`five-steps.md: ${diagnostics.map((one) => `${one.position.line}: ${one.message}`).join("; ")}`);
  return runbook;
}

/** Reports the first durable result and the durable end of each run to the bench; it changes nothing. */
function watched(ledger: RedisRunJournal, observerPath: string): RunJournal {
  const observer = connect(observerPath);
  const fingerprints = new Map<string, string>();
  const observe = (what: "first" | "done", runId: string): void => {
    observer.write(`${what} ${fingerprints.get(runId) ?? runId} ${process.hrtime.bigint()}\n`);
  };
  return {
    leaseMs: ledger.leaseMs,
    renew: (lease) => ledger.renew(lease),
    async claim(runId) {
      const claimed = await ledger.claim(runId);
      const first = "journal" in claimed ? claimed.journal[0] : undefined;
      if (first?.kind === "accepted") fingerprints.set(runId, first.request.alert?.fingerprint ?? runId);
      return claimed;
    },
    async append(lease, append) {
      const reply = await ledger.append(lease, append);
      if (reply.kind !== "ok") return reply;
      for (const entry of append.entries) {
        if (entry.kind === "completed" && entry.step === "set_one") observe("first", lease.runId);
        if (entry.kind !== "finished") continue;
        if (entry.outcome !== "succeeded") process.stderr.write(`${lease.runId} ended ${entry.outcome}: ${entry.reason}\n`);
        observe("done", lease.runId);
        fingerprints.delete(lease.runId);
      }
      return reply;
    },
  };
}

/** Metrics as in the product, without the log and without the time of each step. */
function createBenchRunSink(metrics: Metrics): EventSink<RunEvent> {
  return (event) => {
    switch (event.kind) {
      case "first_effect":
        metrics.alertToAction.observe(event.afterAcceptMs / 1000);
        break;
      case "step_refused":
        metrics.refusals.inc({ guardrail: event.guardrail });
        break;
      case "write_fenced":
        metrics.fencedWrites.inc();
        break;
      case "run_ended":
        metrics.runs.inc({ runbook: event.runbookId, outcome: event.outcome });
        metrics.runDuration.observe({ runbook: event.runbookId }, event.ms / 1000);
        break;
      case "run_claimed":
      case "step_ended":
        break;
    }
  };
}

await main(process.argv.slice(2));
