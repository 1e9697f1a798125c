import { join, resolve } from "node:path";
import { createAuditLog } from "../audit/redis-store.ts";
import type { WakeQueue } from "../core/wake-queue.ts";
import { createConsoleFiles } from "../platform/http/console-files.ts";
import { createApp } from "../platform/http/create-app.ts";
import { createHttpServer, type HttpServer } from "../platform/http/create-http-server.ts";
import { createDescription } from "../platform/http/openapi.ts";
import { untilReady } from "../platform/redis/connection.ts";
import { createDocumentTrees } from "../runbooks/document-trees.ts";
import { openTokens } from "./open-tokens.ts";
import { createServerSink } from "./product-event.ts";
import { registerAlerts } from "./register-alerts.ts";
import { registerApprovals } from "./register-approvals.ts";
import { registerAudit } from "./register-audit.ts";
import { registerBatches } from "./register-batches.ts";
import { registerBudgets } from "./register-budgets.ts";
import { registerCost } from "./register-cost.ts";
import { registerFeatureRequests } from "./register-feature-requests.ts";
import { registerFeatures } from "./register-features.ts";
import { registerFindings } from "./register-findings.ts";
import { registerFlags } from "./register-flags.ts";
import { registerFreeze } from "./register-freeze.ts";
import { registerGitHub } from "./register-github.ts";
import { registerGuardrails } from "./register-guardrails.ts";
import { registerHealth } from "./register-health.ts";
import { registerOutputs } from "./register-outputs.ts";
import { registerProbes } from "./register-probes.ts";
import { registerPrompts } from "./register-prompts.ts";
import { registerRollouts } from "./register-rollouts.ts";
import { registerRouting } from "./register-routing.ts";
import { registerRunbooks } from "./register-runbooks.ts";
import { openWakeQueue, registerRuns } from "./register-runs.ts";
import { registerSessions } from "./register-sessions.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime, RuntimeSources } from "./runtime.ts";

/** A running server. */
export interface ServerProcess {
  readonly server: HttpServer;
  /** File with the first admin token in plain text, when it was made just now. */
  readonly adminTokenFile: string | undefined;
}

/** Starts what listens: the webhooks and the API. `dispatch`: how a worker in the same process executes runs without the queue. */
export async function startServer(
  runtime: Runtime,
  sources: RuntimeSources,
  dispatch: (queue: WakeQueue) => WakeQueue = (queue) => queue,
): Promise<ServerProcess> {
  const { config, clock, log, closers } = runtime;
  const redis = runtime.connect("request");
  await untilReady(redis, clock);
  const audit = createAuditLog(redis, clock);
  const dataFolder = resolve(sources.workingDirectory, config.dataFolder);
  const publish = createServerSink(runtime);
  const { tokens, adminTokenFile } = await openTokens(runtime, sources, audit);
  const wakeQueue = dispatch(await openWakeQueue(runtime));
  const trees = createDocumentTrees();
  const slices = await registerSlices(runtime, { redis, audit, wakeQueue, tokens, publish, dataFolder, trees });
  const session = registerSessions(runtime, { redis, audit });
  const routes = [...slices, session].flatMap((slice) => slice.routes ?? []);
  const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
  const app = createApp({
    routes,
    endpoints: [...endpoints, createDescription(routes, endpoints)],
    tokens,
    sessions: session.sessions,
    console: createConsoleFiles(sources.consoleFolder ?? join(import.meta.dirname, "../console")),
    publicUrl: config.publicUrl,
    log,
    clock,
    closing: runtime.ending.signal,
    storeGate: runtime.store,
  });
  const server = await createHttpServer(app, { host: config.host, port: config.port, trustedProxies: config.trustedProxies }, clock);
  closers.add("http listener", async () => server.close());
  log.info({ host: server.address.host, port: server.address.port }, "The server is ready.");
  return { server, adminTokenFile };
}

/** Every slice that is served, in the order of the architecture. */
async function registerSlices(runtime: Runtime, shared: ServerShared): Promise<readonly Registration[]> {
  const alerts = registerAlerts(runtime, shared, registerGuardrails(runtime));
  const freeze = registerFreeze(runtime, shared);
  return [
    registerRunbooks(runtime, shared),
    alerts,
    registerRuns(runtime, shared, alerts),
    freeze,
    registerBudgets(runtime, shared),
    await registerBatches(runtime, shared),
    registerPrompts(runtime, shared),
    registerRouting(runtime, shared),
    registerFlags(runtime, shared),
    registerRollouts(runtime, shared),
    registerCost(runtime),
    registerOutputs(runtime, shared),
    registerFeatureRequests(runtime),
    registerFindings(runtime, shared),
    registerGitHub(runtime, shared),
    registerFeatures(runtime, shared),
    registerApprovals(runtime, shared),
    registerAudit(runtime, shared),
    registerHealth(runtime, shared),
    registerProbes(runtime, shared, freeze.freezeService),
  ];
}
