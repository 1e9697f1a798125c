import { expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";

const finding = {
  id: "cache-1",
  kind: "cache",
  severity: "medium",
  title: "implement reads 2 %\u001b[31m of its input.",
  at: 0,
  evidence: {},
  status: "accepted",
  note: { status: "accepted", by: "ada", reason: "a nightly job", at: 0, severity: "medium" },
};

it("lists findings with what people said of them", async () => {
  const items = [finding, { ...finding, id: "cache-2", status: "open", note: null }];
  const context = aCommandContext({ answers: { "GET /api/findings": { status: 200, body: { items } } } });
  expect(await runCli(["findings"], context, "1")).toBe(0);
  expect(context.printed.out).toMatch(/cache-1 +cache +medium +accepted +ada +implement reads 2 %/);
  expect(context.printed.out).toMatch(/cache-2 +cache +medium +open +implement/);
  expect(context.printed.out).not.toContain("\u001b[31m");
});

it("asks for those of one status only, and says when there are none", async () => {
  const context = aCommandContext({ answers: { "GET /api/findings": { status: 200, body: { items: [] } } } });
  expect(await runCli(["findings", "--status", "open"], context, "1")).toBe(0);
  expect(context.printed.out).toBe("There are no findings.\n");
  expect(context.requests[0]?.url).toMatch(/\/api\/findings\?status=open$/);
  expect(await runCli(["findings", "--status", "done"], aCommandContext(), "1")).toBe(2);
});

it("says what becomes of one, with a reason, and prints what it was told", async () => {
  const context = aCommandContext({ answers: { "PUT /api/findings/cache-1/status": { status: 200, body: finding } } });
  expect(await runCli(["findings", "say", "cache-1", "accepted", "--reason", "a nightly job"], context, "1")).toBe(0);
  expect(context.requests[0]?.body).toEqual({ status: "accepted", reason: "a nightly job" });
  expect(context.printed.out).toContain("cache-1 is accepted: implement reads");
  const silent = aCommandContext();
  expect(await runCli(["findings", "say", "cache-1", "accepted"], silent, "1")).toBe(2);
  expect(silent.requests).toEqual([]);
});

const security = {
  id: "finding-1",
  source: "semgrep",
  ref: "sqli@1",
  kind: "code",
  state: "open",
  title: "SQL injection",
  feature: "export",
  weakness: { cwe: ["CWE-89"], owasp: [] },
  facts: {},
  location: { repository: "acme/desk", path: "src/export/run.ts", line: 7 },
  updatedAt: 0,
  firstSeenAt: 0,
  verdict: { class: "high", reasons: ["It is reachable."], unknown: ["epss"], contain: false },
};
const listed = {
  ...finding,
  id: "finding-1",
  kind: "security",
  severity: "high",
  title: "SQL injection",
  status: "open",
  note: null,
  security,
};

it("lists security findings beside others, by what they are asked for", async () => {
  const items = [listed, { ...listed, security: { ...security, verdict: null } }, finding];
  const context = aCommandContext({ answers: { "GET /api/findings": { status: 200, body: { items, nextCursor: "next" } } } });
  expect(
    await runCli(["findings", "list", "--kind", "security", "--state", "open", "--feature", "export", "--limit", "2"], context, "1"),
  ).toBe(0);
  expect(context.requests[0]?.url).toMatch(/\/api\/findings\?kind=security&state=open&feature=export&limit=2$/);
  expect(context.printed.out).toMatch(/finding-1 +security +high +open +open +export +semgrep +\d+d\S* +SQL injection/);
  expect(context.printed.out).toMatch(/finding-1 +security +high\? /);
  expect(context.printed.out).toContain("More: --cursor next");
});

it("shows one finding with its reasons and events", async () => {
  const body = { ...listed, events: [{ at: 0, kind: "created", value: "open" }] };
  const context = aCommandContext({ answers: { "GET /api/findings/finding-1": { status: 200, body } } });
  expect(await runCli(["findings", "show", "finding-1"], context, "1")).toBe(0);
  for (const line of ["because   It is reachable.", "unknown   epss", "location  acme/desk src/export/run.ts 7", "weakness  CWE-89"])
    expect(context.printed.out).toContain(line);
  expect(context.printed.out).toMatch(/event +1970-01-01.* created open/);
});

it("says that a security finding counts as open whatever people say of it", async () => {
  const body = { ...listed, status: "accepted" };
  const context = aCommandContext({ answers: { "PUT /api/findings/finding-1/status": { status: 200, body } } });
  expect(await runCli(["findings", "say", "finding-1", "accepted", "--reason", "known"], context, "1")).toBe(0);
  expect(context.printed.out).toContain("It counts as open until its source says otherwise.");
});

it("exports a report as Markdown, and refuses a time that is none", async () => {
  const body = {
    at: 0,
    since: 0,
    feature: null,
    firstKnownAt: null,
    reportUntil: null,
    findings: [],
    timeline: [],
    unknown: ["Much."],
    sources: [],
  };
  const context = aCommandContext({ answers: { "GET /api/findings/export": { status: 200, body } } });
  expect(await runCli(["findings", "export", "--since", "2026-01-31T06:00:00Z", "--feature", "export"], context, "1")).toBe(0);
  expect(context.requests[0]?.url).toMatch(/since=1769839200000&feature=export$/);
  expect(context.printed.out).toContain("* Much.");
  expect(await runCli(["findings", "export", "--since", "yesterday"], aCommandContext(), "1")).toBe(2);
});
