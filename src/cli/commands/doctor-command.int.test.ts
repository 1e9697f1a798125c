import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { z } from "zod";
import { findProgram } from "../../../demo/find-program.ts";
import { type LoopbackServer, serveLoopback } from "../../../demo/simulators/serve-loopback.ts";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { startRedisServer } from "../../../test/servers/redis-server.ts";
import { startSmtpSink } from "../../../test/servers/smtp-sink.ts";
import { runCli } from "../run-cli.ts";
import { runbookTemplate } from "../runbook-template.ts";

let workingDirectory = "";
beforeEach(() => {
  workingDirectory = mkdtempSync(join(tmpdir(), "runbookd-doctor-"));
});
afterEach(() => rmSync(workingDirectory, { recursive: true }));

const findingsSchema = z.object({ ok: z.boolean(), findings: z.array(z.looseObject({ name: z.string(), verdict: z.string() })) });
type Findings = z.infer<typeof findingsSchema>;

async function doctor(env: Record<string, string>): Promise<{ code: number; report: Findings }> {
  const context = aCommandContext({ workingDirectory, env });
  const code = await runCli(["doctor", "--json"], context, "1");
  return { code, report: findingsSchema.parse(JSON.parse(context.printed.out)) };
}

function verdictOf(report: Findings, name: string): string | undefined {
  return report.findings.find((one) => one.name === name)?.verdict;
}

// The answers of Prometheus and Alertmanager that the doctor reads.
async function startMonitoring(alertmanagerConfig: string): Promise<LoopbackServer> {
  return serveLoopback((request, response) => {
    response.setHeader("content-type", "application/json");
    const isStatus = request.url?.startsWith("/api/v2/status") === true;
    const vector = { status: "success", data: { resultType: "vector", result: [{ metric: {}, value: [1, "1"] }] } };
    response.end(JSON.stringify(isStatus ? { config: { original: alertmanagerConfig } } : vector));
  });
}

const routed =
  "route: {receiver: us}\nreceivers:\n  - name: us\n    webhook_configs:\n      - url: http://127.0.0.1:9097/webhooks/alertmanager\n";

it("is content with a whole installation", async () => {
  await using redis = await startRedisServer();
  await using smtp = await startSmtpSink();
  await using monitoring = await startMonitoring(routed);
  mkdirSync(join(workingDirectory, "runbooks"));
  const { code, report } = await doctor({
    REDIS_URL: redis.url,
    PROMETHEUS_URL: monitoring.url,
    ALERTMANAGER_URL: monitoring.url,
    SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
    MAIL_FROM: "runbookd@example.com",
    MAIL_TO: "team@example.com",
  });
  expect(report.findings.filter((one) => one.verdict === "fault")).toEqual([]);
  expect(code).toBe(0);
});

it("names what is wrong with each part, and answers 1", async () => {
  await using redis = await startRedisServer(["--maxmemory-policy", "allkeys-lru", "--appendonly", "no"]);
  await using monitoring = await startMonitoring("route: {receiver: them}\nreceivers: [{name: them}]\n");
  mkdirSync(join(workingDirectory, ".runbookd"));
  writeFileSync(join(workingDirectory, ".runbookd/tokens.json"), "{}");
  chmodSync(join(workingDirectory, ".runbookd/tokens.json"), 0o644);
  const { code, report } = await doctor({
    REDIS_URL: redis.url,
    ALERTMANAGER_URL: monitoring.url,
    SMTP_URL: "smtp://127.0.0.1:1",
    MAIL_FROM: "runbookd@example.com",
    MAIL_TO: "team@example.com",
  });
  expect(code).toBe(1);
  const names = ["Redis maxmemory-policy", "Redis AOF", "Prometheus", "Alertmanager's route to us", "Mail", "Runbooks", "File permissions"];
  expect(names.map((name) => verdictOf(report, name))).toEqual(["fault", "fault", "fault", "fault", "fault", "fault", "warning"]);
});

it("tells when Redis does not answer", async () => {
  const { code, report } = await doctor({ REDIS_URL: "redis://127.0.0.1:1" });
  expect([code, verdictOf(report, "Redis")]).toEqual([1, "fault"]);
});

it("answers 78 and prints every fault when the configuration is refused", async () => {
  const context = aCommandContext({ workingDirectory, env: { RUNBOOKD_PORT: "many", SMTP_URL: "carrier-pigeon:" } });
  expect(await runCli(["doctor"], context, "1")).toBe(78);
  expect(context.printed.err).toContain("RUNBOOKD_PORT");
  expect(context.printed.err).toContain("SMTP_URL");
});

it("has a template of rule and test that promtool accepts", () => {
  for (const [path, text] of Object.entries(runbookTemplate("payment-backlog"))) {
    mkdirSync(dirname(join(workingDirectory, path)), { recursive: true });
    writeFileSync(join(workingDirectory, path), text);
  }
  const output = execFileSync(findProgram("promtool"), ["test", "rules", join(workingDirectory, "alerts/tests/payment-backlog.test.yml")], {
    encoding: "utf8",
  });
  expect(output).toContain("SUCCESS");
});

it("looks whether registered commands can be started, and would die with their worker", async () => {
  const template = (argv: string, cwd: string) => `{ argv: [${argv}], cwd: ${cwd} }`;
  writeFileSync(join(workingDirectory, "runbookd.yml"), `commands: { restart: ${template("/bin/true", "/")} }\n`);
  const good = await doctor({ PATH: "/usr/bin" });
  expect([verdictOf(good.report, "Commands"), verdictOf(good.report, "setpriv")]).toEqual(["ok", "ok"]);
  writeFileSync(join(workingDirectory, "runbookd.yml"), `commands: { restart: ${template("/no/such", "/no/folder")} }\n`);
  const bad = await doctor({ PATH: "/usr/bin" });
  expect(bad.report.findings.find(({ name }) => name === "Commands")).toMatchObject({
    verdict: "fault",
    detail: "restart: /no/such cannot be executed; restart: /no/folder is no folder",
  });
});

it("says whether the folder that it looks at has the anchor of the audit log, which servers keep", async () => {
  const anchorOf = async () => {
    const { report } = await doctor({ RUNBOOKD_DATA: workingDirectory });
    return String(report.findings.find(({ name }) => name === "Audit anchor")?.["detail"]);
  };
  expect(await anchorOf()).toContain("workers keep none");
  writeFileSync(join(workingDirectory, "audit-anchor.json"), "{}");
  expect(await anchorOf()).toContain(join(workingDirectory, "audit-anchor.json"));
});
