import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { type GitHubServer, startGitHub } from "../demo/simulators/github-server/github-server.ts";
import { serveLoopback } from "../demo/simulators/serve-loopback.ts";
import { createSystemClock } from "../src/core/clock.ts";
import { dayMs, minuteMs } from "../src/core/duration.ts";
import { gitHubAlertKinds } from "../src/core/github-alert-kinds.ts";
import { createGitHubClient, gitHubRequestLimits } from "../src/integrations/github/create-github-client.ts";
import { createGitHubSources } from "../src/integrations/github/create-github-sources.ts";
import { createGitHubWebhook } from "../src/integrations/github/github-webhook.ts";
import { createFindingReconciler, type FindingReconciler } from "../src/llm/findings/reconcile-findings.ts";
import { createDeliveryLog } from "../src/llm/findings/redis-deliveries.ts";
import { createSecurityFindingStore } from "../src/llm/findings/redis-security-findings.ts";
import type { SecurityFindingStore } from "../src/llm/findings/security-finding-store.ts";
import type { ReportFinding } from "../src/llm/findings/security-source.ts";
import { createApp } from "../src/platform/http/create-app.ts";
import { createBoundedSender } from "../src/platform/requests/bounded-request.ts";
import { createFakeClock, type FakeClock } from "./fakes/fake-clock.ts";
import { createRecordedLog } from "./fakes/recorded-log.ts";
import { holdRedis } from "./servers/hold-redis.ts";
import { testTokens } from "./servers/http-harness.ts";

const held = holdRedis(["--appendfsync", "no"]);
const [token, secret] = ["github_pat_0123456789abcdefghij", "a-webhook-secret-of-a-test"];
const { signal } = new AbortController();
const releases: (() => Promise<void>)[] = [];

let clock: FakeClock;
let store: SecurityFindingStore;
let github: GitHubServer;
let reconciler: FindingReconciler;

beforeEach(async () => {
  await held.redis.flushall();
  clock = createFakeClock(Date.UTC(2026, 10, 30, 8));
  store = createSecurityFindingStore({ redis: held.redis, clock, retentionMs: 30 * dayMs });
  const log = createRecordedLog();
  const report: ReportFinding = async (finding) => {
    const result = await store.report({ ...finding, feature: "export" });
    return result.kind === "full" ? { kind: "refused", reason: "full" } : result;
  };
  const webhook = createGitHubWebhook({ secrets: [secret], report, deliveries: createDeliveryLog(held.redis), clock, log });
  const app = createApp({ routes: [], endpoints: [webhook], tokens: testTokens, log, clock, closing: signal });
  const server = await serveLoopback(app);
  const url = `${server.url}/webhooks/github`;
  github = await startGitHub({ token, repositories: [{ name: "acme/desk", private: true }], webhook: { url, secret }, clock });
  const sender = createBoundedSender(gitHubRequestLimits, { clock: createSystemClock() });
  const client = createGitHubClient(sender, { apiUrl: github.url, token }, clock);
  const sources = createGitHubSources(client, { repositories: ["acme/desk"], kinds: gitHubAlertKinds });
  reconciler = createFindingReconciler({ sources, store, report, clock, log, wholeMs: dayMs });
  releases.push(
    async () => server[Symbol.asyncDispose](),
    async () => github[Symbol.asyncDispose](),
    async () => sender.close(),
  );
});
afterEach(async () => {
  for (const release of releases.splice(0).toReversed()) await release();
});

const states = async () => Object.fromEntries((await store.list({}, 100)).map(({ source, ref, state }) => [`${source} ${ref}`, state]));

it("finds what lost deliveries would have said, and repeats nothing", async () => {
  await github.open("code-scanning");
  await reconciler.reconcile(signal);
  github.quirks.deliveriesLost = true;
  await clock.advance(minuteMs);
  await github.open("dependabot");
  await github.change("code-scanning", { number: 1, action: "fixed", members: { state: "fixed" } });
  expect(await states()).toEqual({ "github-code-scanning acme/desk#1": "open" });
  await clock.advance(4 * minuteMs);
  await reconciler.reconcile(signal);
  const found = { "github-code-scanning acme/desk#1": "fixed", "github-dependabot acme/desk#1": "open" };
  expect(await states()).toEqual(found);
  const before = await store.list({}, 100);
  await clock.advance(5 * minuteMs);
  await reconciler.reconcile(signal);
  expect(await store.list({}, 100)).toEqual(before);
  expect(await store.sources()).toMatchObject(
    ["advisories", "code-scanning", "dependabot", "secret-scanning"].map((kind) => ({ source: `github-${kind}`, up: true })),
  );
});

it("finds everything that changed while a source was blind, however long that was", async () => {
  await github.open("secret-scanning");
  await github.open("secret-scanning");
  await reconciler.reconcile(signal);
  github.quirks.deliveriesLost = true;
  github.quirks.secretScanningDisabled = true;
  await clock.advance(minuteMs);
  await github.change("secret-scanning", { number: 1, action: "resolved", members: { state: "resolved", resolution: "revoked" } });
  for (let days = 0; days < 40; days += 10) {
    await clock.advance(10 * dayMs);
    await reconciler.reconcile(signal);
  }
  const status = (await store.sources()).find(({ source }) => source === "github-secret-scanning");
  expect(status).toMatchObject({ up: false, reason: expect.stringContaining("(404)"), seenAt: Date.UTC(2026, 10, 30, 8) });
  expect(await states()).toEqual({ "github-secret-scanning acme/desk#1": "open", "github-secret-scanning acme/desk#2": "open" });
  github.quirks.secretScanningDisabled = false;
  await reconciler.reconcile(signal);
  expect(await states()).toEqual({ "github-secret-scanning acme/desk#1": "fixed", "github-secret-scanning acme/desk#2": "open" });
});

it("does not close what vanished from a whole listing", async () => {
  await github.open("dependabot");
  await reconciler.reconcile(signal);
  github.remove("dependabot", 1);
  await clock.advance(dayMs);
  await reconciler.reconcile(signal);
  expect(await states()).toEqual({ "github-dependabot acme/desk#1": "open" });
});

it("keeps the newest state, whichever of webhook and listing brings it", async () => {
  github.quirks.deliveriesHeld = true;
  await github.open("dependabot");
  await clock.advance(5000);
  await github.change("dependabot", { number: 1, action: "fixed", members: { state: "fixed" } });
  await reconciler.reconcile(signal);
  await github.deliveries.release("reversed");
  expect(github.deliveries.list.map(({ statuses }) => statuses)).toEqual([[202], [202]]);
  expect(await states()).toEqual({ "github-dependabot acme/desk#1": "fixed" });
});
