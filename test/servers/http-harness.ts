import { serveLoopback } from "../../demo/simulators/serve-loopback.ts";
import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import type { AlertEvent } from "../../src/alerts/alert-event.ts";
import { createIntake, type Intake } from "../../src/alerts/create-intake.ts";
import type { DecisionLog } from "../../src/alerts/decision-log.ts";
import type { RunGuards } from "../../src/alerts/prepare-run.ts";
import { createRejectedSamples, type RejectedSamples } from "../../src/alerts/rejected-samples.ts";
import { createWebhook } from "../../src/alerts/webhook.ts";
import { withDecisionLog } from "../../src/alerts/with-decision-log.ts";
import { createAnswerPage } from "../../src/approvals/answer-page.ts";
import type { EventSink } from "../../src/core/event.ts";
import { sha256 } from "../../src/core/json.ts";
import type { Log } from "../../src/core/log.ts";
import { roles } from "../../src/core/role.ts";
import { createUlids } from "../../src/core/ulid.ts";
import { createLangfuseWebhook } from "../../src/integrations/langfuse/langfuse-webhook.ts";
import type { ConsoleFiles } from "../../src/platform/http/console-files.ts";
import { type AppLimits, createApp } from "../../src/platform/http/create-app.ts";
import { createDescription } from "../../src/platform/http/openapi.ts";
import { createProbes } from "../../src/platform/http/probes.ts";
import type { ReadinessCondition } from "../../src/platform/http/readiness.ts";
import type { Sessions } from "../../src/platform/http/redis-sessions.ts";
import type { Route } from "../../src/platform/http/route.ts";
import type { TokenVerifier } from "../../src/platform/http/token-verifier.ts";
import { createMemoryAcceptStore, type MemoryAcceptStore } from "../../src/rehearsal/memory-accept-store.ts";
import { createFakeClock, type FakeClock } from "../fakes/fake-clock.ts";
import { provenRoutes } from "./proven-routes.ts";

/** The HTTP application over stores in memory, listening on a free port of loopback. */
export interface HttpHarness extends AsyncDisposable {
  readonly url: string;
  readonly clock: FakeClock;
  readonly store: MemoryAcceptStore;
  readonly samples: RejectedSamples;
  readonly notifications: readonly number[];
  readonly logged: readonly string[];
  readonly closing: AbortController;
  readonly conditions: ReadinessCondition[];
  /** Methods and paths that Express really has. */
  readonly mounted: readonly { readonly method: string; readonly path: string }[];
}

/** What a test may choose. */
export interface HttpHarnessOptions {
  readonly runbooks?: readonly { readonly runbook: Runbook; readonly alertName: string }[];
  readonly webhookTokens?: readonly string[];
  readonly langfuseSecret?: string;
  readonly routes?: readonly Route[];
  /** Default {@link testTokens}. */
  readonly tokens?: TokenVerifier;
  readonly sessions?: Sessions;
  readonly console?: ConsoleFiles;
  readonly publicUrl?: string;
  readonly limits?: AppLimits & { readonly maxWebhooksInFlight?: number };
  readonly guards?: RunGuards;
  /** Called when a sender has left alerts out. */
  readonly onTruncated?: () => void;
  /** Where decisions are recorded; absent: nowhere. */
  readonly decisions?: DecisionLog;
  /** Receives every decision. */
  readonly publish?: EventSink<AlertEvent>;
}

const rolesByHash = new Map(roles.map((role) => [sha256(`${role}-token`), role]));

/** Tokens of a test: `<role>-token` belongs to a caller of that role. */
export const testTokens: Required<Pick<TokenVerifier, "verify" | "verifyHash">> = {
  verify: async (token) => testTokens.verifyHash(sha256(token)),
  async verifyHash(tokenSha256) {
    const role = rolesByHash.get(tokenSha256);
    return role === undefined ? undefined : { name: `a ${role}`, role };
  },
};

/** Starts the application; dispose of it, which throws when a success body did not fit the schema of its route. */
export async function startHttp(options: HttpHarnessOptions = {}): Promise<HttpHarness> {
  const clock = createFakeClock(Date.UTC(2026, 10, 23, 6));
  const store = createMemoryAcceptStore(clock);
  const samples = createRejectedSamples();
  const notifications: number[] = [];
  const logged: string[] = [];
  const conditions: ReadinessCondition[] = [];
  const closing = new AbortController();
  let random = 0;
  const ids = createUlids(
    () => clock.now(),
    (count) => Uint8Array.from({ length: count }, (_, index) => (random += index + 7) & 255),
  );
  const bare = createIntake({
    store,
    bytes: store,
    wakeQueue: { enqueue: () => undefined },
    library: { match: (labels) => options.runbooks?.find(({ alertName }) => labels["alertname"] === alertName)?.runbook },
    guards: options.guards ?? (() => ({ kind: "allow", claims: [] })),
    clock,
    ids,
    publish: options.publish ?? (() => undefined),
  });
  const { decisions } = options;
  const intake: Intake = decisions === undefined ? bare : withDecisionLog(bare, { decisions, clock, ids, redact: (text) => text });
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep, ofRun: () => log };
  function keep(fields: object, message: string): void {
    logged.push(JSON.stringify({ ...fields, message }));
  }
  const { limits: { maxWebhooksInFlight, ...limits } = {} } = options;
  const { routes, faults } = provenRoutes(options.routes ?? []);
  const endpoints = [
    createWebhook(
      {
        intake,
        tokens: options.webhookTokens ?? ["correct-horse-battery"],
        samples,
        onTruncated: options.onTruncated ?? (() => undefined),
        answered: (status) => notifications.push(status),
        clock,
        log,
        closing: closing.signal,
      },
      maxWebhooksInFlight === undefined ? {} : { maxInFlight: maxWebhooksInFlight },
    ),
    createLangfuseWebhook({ intake, secret: options.langfuseSecret, clock, log }),
    ...createProbes({ readiness: { conditions: async () => conditions }, closing: closing.signal, tokens: options.tokens ?? testTokens }),
    ...createAnswerPage(),
  ];
  const app = createApp(
    {
      routes,
      endpoints: [...endpoints, createDescription(routes, endpoints)],
      tokens: options.tokens ?? testTokens,
      ...(options.sessions !== undefined && { sessions: options.sessions }),
      ...(options.console !== undefined && { console: options.console }),
      ...(options.publicUrl !== undefined && { publicUrl: options.publicUrl }),
      log,
      clock,
      closing: closing.signal,
    },
    limits,
  );
  const server = await serveLoopback(app);
  return {
    url: server.url,
    clock,
    store,
    samples,
    notifications,
    logged,
    closing,
    conditions,
    mounted: app.router.stack.flatMap(({ route }) =>
      route === undefined
        ? []
        : route.stack.flatMap(({ method, name }) => (name === "methodNotAllowed" ? [] : [{ method, path: route.path }])),
    ),
    async [Symbol.asyncDispose]() {
      closing.abort();
      await server[Symbol.asyncDispose]();
      if (faults.length > 0) throw new Error(`Answers do not fit their schemas:\n${faults.join("\n")}`);
    },
  };
}
