import { createHmac } from "node:crypto";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type GitHubServer, startGitHub } from "../../../demo/simulators/github-server/github-server.ts";
import { serveLoopback } from "../../../demo/simulators/serve-loopback.ts";
import { deliveryOutcomeSchema } from "../../../packages/sdk/src/wire/security-findings.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createRecordedLog } from "../../../test/fakes/recorded-log.ts";
import { createReportedFindings, type ReportedFindings } from "../../../test/fakes/reported-findings.ts";
import { testTokens } from "../../../test/servers/http-harness.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import { createApp } from "../../platform/http/create-app.ts";
import { createGitHubWebhook, type GitHubWebhookDeps } from "./github-webhook.ts";

const secret = "a-webhook-secret-of-a-test";
const releases: (() => Promise<void>)[] = [];
let findings: ReportedFindings;
let handled: Set<string>;

beforeEach(() => {
  findings = createReportedFindings();
  handled = new Set();
});
afterEach(async () => {
  for (const release of releases.splice(0).toReversed()) await release();
});

async function serve(change: Partial<GitHubWebhookDeps> = {}): Promise<string> {
  const clock = createFakeClock();
  const log = createRecordedLog();
  const webhook = createGitHubWebhook({
    secrets: [secret],
    report: (finding) => findings.report(finding),
    deliveries: { has: async (id) => handled.has(id), record: async (id) => void handled.add(id) },
    clock,
    log,
    ...change,
  });
  const app = createApp({ routes: [], endpoints: [webhook], tokens: testTokens, log, clock, closing: new AbortController().signal });
  const server = await serveLoopback(app);
  releases.push(async () => server[Symbol.asyncDispose]());
  return `${server.url}/webhooks/github`;
}

async function aGitHub(change: Partial<GitHubWebhookDeps> = {}): Promise<GitHubServer> {
  const url = await serve(change);
  const clock = createFakeClock(Date.UTC(2026, 10, 30, 8));
  const github = await startGitHub({ repositories: [{ name: "acme/desk", private: true }], webhook: { url, secret }, clock });
  releases.push(async () => github[Symbol.asyncDispose]());
  return github;
}

const hmacOf = (body: string, key = secret) => `sha256=${createHmac("sha256", key).update(body).digest("hex")}`;

async function post(url: string, body: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "x-github-event": "dependabot_alert", "x-hub-signature-256": hmacOf(body), ...headers },
    body,
  });
  return { status: response.status, retryAfter: response.headers.get("retry-after"), body: Object(await response.json()) };
}

const statuses = ({ deliveries }: GitHubServer) => deliveries.list.map((delivery) => delivery.statuses);
const stored = async () => (await findings.list({}, 100)).map(({ ref, state }) => `${ref} ${state}`);

describe("POST /webhooks/github", () => {
  it("keeps an alert of each kind, and what becomes of it", async () => {
    const github = await aGitHub();
    for (const kind of ["code-scanning", "secret-scanning", "dependabot", "security-advisories"] as const) await github.open(kind);
    expect(statuses(github)).toEqual([[202], [202], [202], [202]]);
    expect((await findings.list({}, 9)).map(({ source }) => source)).toEqual([
      "github-advisories",
      "github-code-scanning",
      "github-dependabot",
      "github-secret-scanning",
    ]);
    await github.change("dependabot", { number: 1, action: "auto_dismissed", members: { state: "auto_dismissed" } });
    expect((await findings.list({ source: "github-dependabot" }, 9))[0]?.state).toBe("dismissed");
  });

  it("fits GitHub's own example of a signature", async () => {
    const url = await serve({ secrets: ["It's a Secret to Everybody"] });
    const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    expect(await post(url, "Hello, World!", { "x-github-event": "ping", "x-hub-signature-256": signature })).toMatchObject({
      status: 202,
      body: { outcome: "ignored" },
    });
  });

  it.each([
    ["sha1", /X-Hub-Signature with SHA-1 is not accepted/],
    ["nothing", /X-Hub-Signature-256 is missing/],
  ] as const)("refuses deliveries signed with %s", async (signedWith, detail) => {
    const github = await aGitHub();
    github.quirks.signedWith = signedWith;
    await github.open("dependabot");
    expect(statuses(github)).toEqual([[401]]);
    expect(await stored()).toEqual([]);
    const headers = signedWith === "sha1" ? { "x-hub-signature": `sha1=${"0".repeat(40)}` } : {};
    expect(await post(await serve(), "{}", { "x-hub-signature-256": "", ...headers })).toMatchObject({
      status: 401,
      body: { detail: expect.stringMatching(detail) },
    });
  });

  it("refuses the signature of another secret and of another body", async () => {
    const url = await serve();
    expect(await post(url, "{}", { "x-hub-signature-256": hmacOf("{}", "another-webhook-secret") })).toMatchObject({
      status: 401,
      body: { detail: expect.stringContaining("does not fit the body") },
    });
    expect(await post(url, "{ }", { "x-hub-signature-256": hmacOf("{}") })).toMatchObject({ status: 401 });
    expect(await post(url, '{"a":', { "x-hub-signature-256": hmacOf("{}") })).toMatchObject({ status: 401 });
    expect(await post(url, '{"a":')).toMatchObject({ status: 400 });
  });

  it("takes both secrets while they are rotated", async () => {
    const url = await serve({ secrets: ["the-secret-that-goes-away", secret] });
    for (const key of ["the-secret-that-goes-away", secret])
      expect(await post(url, "{}", { "x-github-event": "push", "x-hub-signature-256": hmacOf("{}", key) })).toMatchObject({ status: 202 });
  });

  it("changes nothing for a delivery that comes twice, even one of the same second as a newer one", async () => {
    const github = await aGitHub();
    github.quirks.deliveriesDoubled = true;
    await github.open("dependabot");
    await github.change("dependabot", { number: 1, action: "fixed", members: { state: "fixed" } });
    expect(statuses(github)).toEqual([
      [202, 202],
      [202, 202],
    ]);
    await github.deliveries.redeliver(github.deliveries.list[0]?.guid ?? "");
    expect(await stored()).toEqual(["acme/desk#1 fixed"]);
    const { body, guid } = github.deliveries.list[0] ?? { body: "", guid: "" };
    expect(await post(await serve(), body, { "x-github-delivery": guid.toUpperCase() })).toMatchObject({ body: { outcome: "repeated" } });
  });

  it("never goes back when deliveries come in another order", async () => {
    const url = await serve();
    const clock = createFakeClock(Date.UTC(2026, 10, 30, 8));
    const github = await startGitHub({ repositories: [{ name: "acme/desk", private: true }], webhook: { url, secret }, clock });
    releases.push(async () => github[Symbol.asyncDispose]());
    github.quirks.deliveriesHeld = true;
    await github.open("code-scanning");
    await clock.advance(5000);
    await github.change("code-scanning", { number: 1, action: "fixed", members: { state: "fixed" } });
    await github.deliveries.release("reversed");
    expect(await stored()).toEqual(["acme/desk#1 fixed"]);
    const [created] = github.deliveries.list;
    expect(await post(url, created?.body ?? "", { "x-github-event": "code_scanning_alert" })).toMatchObject({
      status: 202,
      body: { outcome: "older", finding: expect.any(String) },
    });
  });

  it("reads events of older servers, which have neither state nor time", async () => {
    const github = await aGitHub();
    github.quirks.eventsWithoutTimes = true;
    await github.open("secret-scanning");
    await github.change("secret-scanning", {
      number: 1,
      action: "resolved",
      members: { state: "resolved", resolution: "revoked", resolved_at: "2026-11-30T08:00:05Z" },
    });
    expect(await stored()).toEqual(["acme/desk#1 fixed"]);
  });

  it("reads every action of the events, and nothing of others", async () => {
    const actions = {
      code_scanning_alert: ["created", "appeared_in_branch", "fixed", "reopened", "reopened_by_user", "closed_by_user"],
      secret_scanning_alert: ["created", "validated", "publicly_leaked", "reopened", "resolved"],
      dependabot_alert: ["created", "fixed", "dismissed", "auto_dismissed", "reopened", "auto_reopened", "reintroduced"],
      repository_advisory: ["reported", "published"],
    };
    const github = await aGitHub();
    const url = await serve();
    for (const kind of ["code-scanning", "secret-scanning", "dependabot", "security-advisories"] as const) await github.open(kind);
    for (const { event, body } of github.deliveries.list) {
      for (const action of Object.entries(actions).find(([name]) => name === event)?.[1] ?? [])
        expect((await post(url, JSON.stringify({ ...JSON.parse(body), action }), { "x-github-event": event })).body).toMatchObject({
          finding: expect.any(String),
        });
      for (const action of ["assigned", "toString", ""])
        expect(await post(url, JSON.stringify({ ...JSON.parse(body), action }), { "x-github-event": event })).toMatchObject({
          status: 202,
          body: { outcome: "ignored" },
        });
    }
    for (const event of ["push", "workflow_run", "deployment_status", "constructor", ""])
      expect(await post(url, github.deliveries.list[0]?.body ?? "", { "x-github-event": event })).toMatchObject({
        body: { outcome: "ignored" },
      });
  });

  it("knows from the event that a secret was leaked", async () => {
    const github = await aGitHub();
    await github.open("secret-scanning");
    await github.change("secret-scanning", { number: 1, action: "publicly_leaked", members: {} });
    expect((await findings.list({}, 9))[0]?.secret).toMatchObject({ public: true });
  });

  it("refuses an event that it should understand and cannot", async () => {
    const url = await serve();
    const repository = { full_name: "acme/desk" };
    const bodies = [
      {},
      { action: "created" },
      { action: "created", repository: { full_name: "../.." } },
      { action: "created", repository },
    ];
    for (const body of [...bodies, { action: "created", repository, alert: { number: 1 } }])
      expect(await post(url, JSON.stringify(body))).toMatchObject({ status: 400 });
    expect(await stored()).toEqual([]);
  });

  it("answers 503 with Retry-After while the store is away, and works the same delivery off afterwards", async () => {
    let away = true;
    const github = await aGitHub({
      report: async (finding) => {
        if (away) throw new StoreUnavailable("away");
        return findings.report(finding);
      },
    });
    await github.open("dependabot");
    const { body, guid } = github.deliveries.list[0] ?? { body: "", guid: "" };
    const url = await serve({ report: () => Promise.reject(new StoreUnavailable("away")) });
    expect(await post(url, body)).toMatchObject({ status: 503, retryAfter: "5" });
    away = false;
    await github.deliveries.redeliver(guid);
    expect(statuses(github)).toEqual([[503, 202]]);
    expect(await stored()).toEqual(["acme/desk#1 open"]);
    expect(await post(await serve({ storeGate: { isFit: () => false } }), body)).toMatchObject({ status: 503 });
  });

  it("answers before GitHub gives up when the store hangs", async () => {
    const clock = createFakeClock();
    let began: () => void = () => undefined;
    const reporting = new Promise<void>((resolve) => (began = resolve));
    const url = await serve({
      clock,
      report: () => {
        began();
        return new Promise(() => undefined);
      },
    });
    const github = await aGitHub();
    await github.open("dependabot");
    const answer = post(url, github.deliveries.list[0]?.body ?? "");
    await reporting;
    await clock.advance(8000);
    expect(await answer).toMatchObject({ status: 503, retryAfter: "5" });
  });

  it("verifies a long event without keeping it, and does not take a long alert for none", async () => {
    const url = await serve();
    const long = JSON.stringify({ commits: "x".repeat(20_000_000) });
    expect(await post(url, long, { "x-github-event": "push" })).toMatchObject({ status: 202 });
    expect(await post(url, long)).toMatchObject({ status: 413 });
    expect(await post(url, long, { "x-github-event": "push", "x-hub-signature-256": hmacOf("{}") })).toMatchObject({ status: 401 });
  });

  it("reads only a few bodies at once whose sender is not known yet", async () => {
    const url = await serve();
    const { port } = new URL(url);
    const halfSent = Array.from({ length: 8 }, () => {
      const socket = connect(Number(port), "127.0.0.1");
      socket.on("error", () => undefined);
      const head = `POST /webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-hub-signature-256: ${hmacOf("")}\r\n`;
      socket.write(`${head}content-length: 1000000\r\n\r\n${"x".repeat(60_000)}`);
      return socket;
    });
    while ((await post(url, "{}", { "x-github-event": "push" })).status !== 503) await setTimeout(5);
    expect(await post(url, "{}", { "x-github-event": "push" })).toMatchObject({ status: 503, retryAfter: "5" });
    for (const socket of halfSent) socket.destroy();
    while ((await post(url, "{}", { "x-github-event": "push" })).status !== 202) await setTimeout(5);
  });

  it("does not exist without a secret, and says what a webhook with forms has to be set to", async () => {
    expect(await post(await serve({ secrets: [] }), "{}")).toMatchObject({ status: 404 });
    expect(await post(await serve(), "payload=%7B%7D", { "content-type": "application/x-www-form-urlencoded" })).toMatchObject({
      status: 415,
      body: { detail: "The content-type must be application/json." },
    });
  });

  it("answers what its description says", async () => {
    const answer = await post(await serve(), "{}", { "x-github-event": "push" });
    expect(deliveryOutcomeSchema.parse(answer.body)).toEqual({ outcome: "ignored" });
  });
});
