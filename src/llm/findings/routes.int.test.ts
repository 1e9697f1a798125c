import { expect, it } from "@jest/globals";
import type { AuditEntry } from "../../../packages/sdk/src/wire/audit.ts";
import type { Finding, FindingComment } from "../../../packages/sdk/src/wire/findings.ts";
import { aSecurityFinding, aVerdict } from "../../../test/contracts/describe-security-findings.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { startHttp } from "../../../test/servers/http-harness.ts";
import type { Feature } from "../../core/feature.ts";
import type { TokenVerifier } from "../../platform/http/token-verifier.ts";
import { createMemorySecurityFindings } from "../../rehearsal/memory-security-findings.ts";
import { createFindingIntake } from "./finding-intake.ts";
import { createFindingRoutes } from "./routes.ts";

const feature: Feature = {
  name: "export",
  flags: [],
  budgets: [],
  keys: [],
  versionUrls: [],
  repository: "acme/desk",
  paths: ["src/export"],
};
const cacheFinding: Finding = { id: "cache-1", kind: "cache", severity: "medium", title: "implement reads 2 %.", at: 1, evidence: {} };

async function aServer(tokens?: TokenVerifier) {
  const clock = createFakeClock(Date.UTC(2026, 10, 30));
  const store = createMemorySecurityFindings(clock);
  const audited: AuditEntry[] = [];
  const said = new Map<string, FindingComment>();
  const http = await startHttp({
    routes: createFindingRoutes({
      otherSources: [{ findings: async () => [cacheFinding] }],
      store,
      intake: createFindingIntake({
        store,
        features: [feature],
        assess: ({ facts }) => aVerdict(facts.sourceSeverity ?? "critical"),
        clock,
      }),
      comments: { list: async () => said, put: async (id, comment) => void said.set(id, comment) },
      audit: { append: async (entry) => void audited.push(entry) },
      clock,
    }),
    ...(tokens !== undefined && { tokens }),
  });
  const send = async (
    method: string,
    path: string,
    { role = "operator", body }: { readonly role?: string; readonly body?: unknown } = {},
  ) => {
    const response = await fetch(`${http.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${role}-token`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: Object(await response.json()), retryAfter: response.headers.get("retry-after") };
  };
  return { http, send, audited, store, clock };
}

const sarif = {
  version: "2.1.0",
  runs: [
    {
      tool: { driver: { name: "Semgrep OSS", rules: [{ id: "sqli", properties: { "security-severity": "9.8" } }] } },
      versionControlProvenance: [{ repositoryUri: "https://github.com/acme/desk" }],
      results: [
        {
          ruleId: "sqli",
          message: { text: "<b>Injection</b>" },
          locations: [{ physicalLocation: { artifactLocation: { uri: "src/export/run.ts" } } }],
        },
        "no result",
        { ruleId: "style", kind: "pass", message: { text: "fine" } },
      ],
    },
  ],
};

it("takes a document in, with a result for every item, and the same document again changes nothing", async () => {
  const { http, send, audited, store, clock } = await aServer();
  await using _ = http;
  const first = await send("POST", "/api/findings", { body: sarif });
  expect(first).toMatchObject({
    status: 200,
    body: {
      items: [
        { at: "runs[0].results[0]", result: "created", feature: "export" },
        { at: "runs[0].results[1]", result: "unreadable", reason: "The result is not an object." },
        { at: "runs[0].results[2]", result: "passed_over" },
      ],
      counts: { created: 1, unreadable: 1, passed_over: 1, updated: 0, refused: 0 },
      warnings: [],
    },
  });
  await clock.advance(1000);
  expect((await send("POST", "/api/findings", { body: sarif })).body.counts).toMatchObject({ unchanged: 1, created: 0 });
  expect(await store.list({}, 5)).toMatchObject([
    { source: "semgrep-oss", description: "Injection", feature: "export", verdict: { class: "critical" } },
  ]);
  expect(await store.sources()).toEqual([{ source: "semgrep-oss", up: true, sends: true, seenAt: clock.now() }]);
  expect(audited).toMatchObject([
    { kind: "findings_imported", by: "a operator", subject: "finding-source/several", detail: { created: 1 } },
    { kind: "findings_imported", detail: { unchanged: 1 } },
  ]);
});

it("takes one good item among bad ones in runbookd's own form", async () => {
  const { http, send } = await aServer();
  await using _ = http;
  const { feature: _feature, ...good } = aSecurityFinding();
  const findings = [null, { ...good, ref: "" }, good, { ...good, source: "codeql" }, { ...good, updatedAt: 1e14 }, { ...good, extra: 1 }];
  const { body } = await send("POST", "/api/findings?source=semgrep", { body: { findings } });
  expect(Object(body).items.map(({ result }: { result: string }) => result)).toEqual([
    "unreadable",
    "unreadable",
    "created",
    "unreadable",
    "refused",
    "unreadable",
  ]);
});

it.each([
  ["nothing that it knows", {}, "none of SARIF"],
  ["SARIF of another version", { version: "2.0.0", runs: [] }, "not SARIF 2.1.0"],
  ["SARIF with no run", { version: "2.1.0", runs: [] }, "`runs` is empty"],
  ["SARIF without runs", { $schema: "https://json.schemastore.org/sarif-2.1.0.json" }, "has no list `runs`"],
  ["too many items", { findings: Array.from({ length: 10_001 }, () => 0) }, "at most 10000"],
])("refuses %s as a whole", async (_name, body, detail) => {
  const { http, send, audited } = await aServer();
  await using _ = http;
  expect(await send("POST", "/api/findings", { body })).toMatchObject({ status: 400, body: { detail: expect.stringContaining(detail) } });
  expect(audited).toEqual([]);
});

it("lets a scanner report as itself alone and read nothing, and an application report nothing", async () => {
  const { http, send } = await aServer();
  await using _ = http;
  expect((await send("POST", "/api/findings", { role: "workload", body: sarif })).status).toBe(403);
  expect((await send("POST", "/api/findings", { role: "viewer", body: sarif })).status).toBe(403);
  // The harness calls it `a scanner`, which is no name of a source.
  expect(await send("POST", "/api/findings", { role: "scanner", body: sarif })).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining("not one of a source") },
  });
  for (const path of ["/api/findings", "/api/findings/export?since=0", "/api/findings/cache-1"])
    expect((await send("GET", path, { role: "scanner" })).status).toBe(403);
});

it("gives the findings of a scanner its token's name, and records it only when something has changed", async () => {
  const { http, send, store, audited } = await aServer({ verify: async () => ({ name: "semgrep", role: "scanner" }) });
  await using _ = http;
  expect((await send("POST", "/api/findings", { body: sarif })).body.counts).toMatchObject({ created: 1 });
  expect((await send("POST", "/api/findings", { body: sarif })).body.counts).toMatchObject({ unchanged: 1 });
  expect((await send("POST", "/api/findings?source=codeql", { body: sarif })).status).toBe(403);
  expect((await send("POST", "/api/findings", { body: [aSecurityFinding({ source: "codeql" })] })).body.counts).toMatchObject({
    unreadable: 1,
  });
  expect(await store.list({}, 5)).toMatchObject([{ source: "semgrep" }]);
  expect(audited).toMatchObject([{ by: "semgrep", subject: "finding-source/semgrep" }]);
});

it.each([
  ["down", { source: "semgrep", up: false, reason: "403" }],
  ["up", { source: "semgrep", up: true, seenAt: 5 }],
])("leaves what asking a source has found, that it is %s, as it is", async (_name, status) => {
  const { http, send, store } = await aServer();
  await using _ = http;
  await store.recordSource(status);
  for (const body of [sarif, failedScan]) await send("POST", "/api/findings?source=semgrep", { body });
  expect(await store.sources()).toEqual([status]);
});

const failedScan = { ...sarif, runs: [{ ...sarif.runs[0], invocations: [{ executionSuccessful: false }] }] };

it("takes a source whose tool failed for blind until its next document, and never for one without findings", async () => {
  const { http, send, store, clock } = await aServer();
  await using _ = http;
  const down = { source: "semgrep-oss", up: false, sends: true, reason: expect.stringContaining("its run failed") };
  expect((await send("POST", "/api/findings", { body: failedScan })).body.warnings).toEqual([expect.stringContaining("runs[0]")]);
  expect(await store.sources()).toEqual([down]);
  await send("POST", "/api/findings", { body: sarif });
  const up = { source: "semgrep-oss", up: true, sends: true, seenAt: clock.now() };
  expect(await store.sources()).toEqual([up]);
  const findings = (await store.list({}, 1)).map(({ id: _id, firstSeenAt: _first, verdict: _verdict, ...reported }) => reported);
  await clock.advance(1000);
  await send("POST", "/api/findings?failed=true", { body: { findings } });
  expect(await store.sources()).toEqual([{ ...down, seenAt: up.seenAt }]);
});

it("takes a source of whose document nothing can be read for blind", async () => {
  const { http, send, store } = await aServer();
  await using _ = http;
  const unscanned = { version: "2.1.0", runs: [{ tool: { driver: { name: "semgrep" } } }] };
  await send("POST", "/api/findings?source=semgrep", { body: unscanned });
  expect(await store.sources()).toMatchObject([{ up: false, reason: expect.stringContaining("has no results") }]);
  await send("POST", "/api/findings?source=semgrep", { body: { findings: [] } });
  expect(await store.sources()).toMatchObject([{ up: true }]);
  await send("POST", "/api/findings?source=semgrep", { body: { findings: [{ rule: "of another version" }] } });
  expect(await store.sources()).toMatchObject([{ up: false, reason: "Nothing of its last document could be kept." }]);
});

it("lists all kinds, the gravest first, by page and filter", async () => {
  const { http, send } = await aServer();
  await using _ = http;
  const findings = (["low", "high", "critical"] as const).map((severity) => {
    const { feature: _feature, ...finding } = aSecurityFinding({
      ref: severity,
      title: severity,
      facts: { sourceSeverity: severity },
    });
    return finding;
  });
  await send("POST", "/api/findings", {
    body: [...findings, { ...findings[0], ref: "done", title: "done", state: "fixed", location: {} }],
  });
  const titles = async (query: string) =>
    (await send("GET", `/api/findings${query}`, { role: "viewer" })).body.items.map(({ title }: Finding) => title);
  expect(await titles("")).toEqual(["critical", "high", "implement reads 2 %.", "low", "done"]);
  expect(await titles("?kind=cache")).toEqual(["implement reads 2 %."]);
  expect(await titles("?kind=security&state=open")).toEqual(["critical", "high", "low"]);
  expect(await titles("?state=fixed")).toEqual(["done"]);
  expect(await titles("?feature=unknown")).toEqual(["done"]);
  expect(await titles("?source=codeql")).toEqual([]);
  const { body: page } = await send("GET", "/api/findings?limit=2");
  expect(page.items.map(({ title }: Finding) => title)).toEqual(["critical", "high", "implement reads 2 %."]);
  expect(await titles(`?limit=2&cursor=${page.nextCursor}`)).toEqual(["low", "done"]);
  expect((await send("GET", "/api/findings?cursor=nonsense")).status).toBe(400);
});

it("shows one finding with its events, and takes what people say of both kinds", async () => {
  const { http, send, audited, store } = await aServer();
  await using _ = http;
  const { body } = await send("POST", "/api/findings", { body: sarif });
  const { id } = body.items[0];
  expect((await send("GET", `/api/findings/${id}`)).body).toMatchObject({
    kind: "security",
    severity: "critical",
    status: "open",
    security: { state: "open" },
    events: [
      { kind: "created", value: "open" },
      { kind: "judged", value: "critical" },
    ],
  });
  expect((await send("GET", "/api/findings/cache-1")).body).toMatchObject({ kind: "cache", events: [] });
  expect((await send("GET", "/api/findings/none")).status).toBe(404);
  for (const one of [id, "cache-1"]) {
    const note = { status: "accepted", reason: "it is a test" };
    expect(await send("PUT", `/api/findings/${one}/status`, { body: note })).toMatchObject({ status: 200, body: { status: "accepted" } });
  }
  expect(audited.filter(({ kind }) => kind === "finding_noted").map(({ subject }) => subject)).toEqual([id, "cache-1"]);
  // Only its source ends a security finding.
  expect(await store.openCounts()).toHaveLength(1);
});

it("exports what is known and what is not, and when it must be reported", async () => {
  const { http, send, store, clock } = await aServer();
  await using _ = http;
  const known = clock.now();
  await send("POST", "/api/findings", { body: sarif });
  await store.recordSource({ source: "github-secret-scanning", up: false, reason: "It is disabled." });
  await clock.advance(5000);
  const { body } = await send("GET", `/api/findings/export?since=${clock.now()}&feature=export`, { role: "viewer" });
  expect(body).toMatchObject({
    firstKnownAt: known,
    reportUntil: known + 72 * 3_600_000,
    findings: [{ class: "critical", assessed: true, state: "open" }],
    timeline: [
      { at: known, sentence: expect.stringContaining("for the first time, as open") },
      { sentence: expect.stringContaining("assessed as critical") },
    ],
  });
  expect(body.unknown.join("\n")).toMatch(
    /github-secret-scanning cannot be read and has never been read.*It is disabled\.[\s\S]*personal data/,
  );
  expect((await send("GET", `/api/findings/export?since=0&feature=other`)).body.findings).toEqual([]);
});
