import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import { findProgram } from "../demo/find-program.ts";

const root = join(import.meta.dirname, "..");
const alerts = join(root, "alerts");
const text = (path: string) => readFileSync(join(root, path), "utf8");
const list = (folder: string) => readdirSync(join(alerts, folder)).map((name) => `${folder}/${name}`);

/** Exit code and everything that a tool printed. */
const tool = (name: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(findProgram(name), args, { cwd: alerts, encoding: "utf8" });
  return { status, output: stdout + stderr };
};

interface Alert {
  readonly alert: string;
  readonly keep_firing_for?: string;
  readonly labels: { readonly [name: string]: string };
  readonly annotations: { readonly [name: string]: string };
}
interface Test {
  readonly tests: readonly {
    readonly name?: string;
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts?: readonly unknown[] }[];
  }[];
}

const shipped = list("rules").flatMap((path) => {
  const { groups }: { groups: { rules: Partial<Alert>[] }[] } = parse(text(`alerts/${path}`));
  return groups.flatMap(({ rules }) =>
    rules.flatMap(({ alert, labels = {}, annotations = {}, keep_firing_for: holds }) =>
      alert === undefined ? [] : [{ path, alert, labels, annotations, holds }],
    ),
  );
});
const cases = list("tests").flatMap((path) => {
  const { tests }: Test = parse(text(`alerts/${path}`));
  return tests.flatMap((test) => test.alert_rule_test);
});

/** A dead man's switch must end at once; a counter's rise within ten minutes outlasts failed scrapes. */
const endAtOnce = ["RunbookdWatchdog", "LLMSecretExposed"];

it("hold through failed scrapes when they start a runbook, because a run whose alert has resolved stops", () => {
  const starting = shipped.filter(({ labels }) => labels["runbook"] !== "none").filter(({ alert }) => !endAtOnce.includes(alert));
  expect(starting.filter(({ holds }) => holds === undefined).map(({ alert }) => alert)).toEqual([]);
  expect(starting.length).toBeGreaterThan(10);
});

it("ships alerts, each name once", () => {
  expect(shipped.length).toBeGreaterThan(25);
  expect(new Set(shipped.map(({ alert }) => alert)).size).toBe(shipped.length);
});

describe.each(shipped)("$alert", ({ path, alert, labels, annotations }) => {
  it("has a case in which it fires and one in which it is silent", () => {
    const own = cases.filter(({ alertname }) => alertname === alert);
    expect(own.filter(({ exp_alerts = [] }) => exp_alerts.length > 0).length).toBeGreaterThan(0);
    expect(own.filter(({ exp_alerts = [] }) => exp_alerts.length === 0).length).toBeGreaterThan(0);
  });

  it("carries what people and runbookd need", () => {
    expect(alert).toMatch(path === "rules/self.rules.yml" ? /^Runbookd[A-Z]/ : /^LLM[A-Z]/);
    expect(["critical", "warning", "info"]).toContain(labels["severity"]);
    const runbook = labels["runbook"] ?? "";
    expect(runbook === "none" || existsSync(join(root, "runbooks", `${runbook}.md`))).toBe(true);
    expect(annotations["summary"]).toMatch(/^[A-Za-z][^{]*\.$/);
    expect(annotations["description"]).toContain("{{ $");
    // A template would hide a wrong address until the night somebody needs it.
    expect(annotations["runbook_url"]).toMatch(/^https?:\/\/[^{]+$/);
    expect(runbook === "none" || annotations["runbook_url"]?.endsWith(`/${runbook}`) === true).toBe(true);
    expect(annotations["dashboard_url"]).toMatch(/^https?:\/\/[^{]+$/);
  });
});

it("has a rule file for every runbook, and a test file for every rule file", () => {
  const runbooks = readdirSync(join(root, "runbooks"))
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .map((name) => name.slice(0, -3));
  expect(runbooks.filter((id) => !shipped.some(({ labels }) => labels["runbook"] === id))).toEqual([]);
  expect(list("tests")).toEqual(list("rules").map((path) => path.replace("rules/", "tests/").replace(".rules.yml", ".test.yml")));
});

it("is accepted by promtool, lint included", () => {
  expect(tool("promtool", "check", "config", "prometheus.yml")).toMatchObject({ status: 0 });
  expect(tool("promtool", "check", "rules", "--lint=all", "--lint-fatal", ...list("rules"))).toMatchObject({ status: 0 });
});

it.each(list("tests"))(
  "passes promtool test rules: %s",
  (path) => {
    expect(tool("promtool", "test", "rules", path)).toMatchObject({ status: 0 });
  },
  120_000,
);

it("is accepted by amtool", () => {
  expect(tool("amtool", "check-config", "alertmanager.yml")).toMatchObject({ status: 0 });
});

it.each([
  [["alertname=LLMBudgetBurnFast", "runbook=cost-incident-response"], "runbookd,people"],
  [["alertname=RunbookdDown", "runbook=none"], "people"],
  [["alertname=Anything"], "people"],
])("routes %j to %s", (labels, receivers) => {
  const routed = tool("amtool", "config", "routes", "test", "--config.file", "alertmanager.yml", ...labels);
  expect(routed.output.split("\n").filter((line) => line !== "" && !line.startsWith("Warning"))).toEqual([receivers]);
});

it("sends with a bearer token, resolves too, and follows no redirect", () => {
  const { receivers }: { receivers: { name: string; webhook_configs?: object[] }[] } = parse(text("alerts/alertmanager.yml"));
  expect(receivers.find(({ name }) => name === "runbookd")?.webhook_configs).toEqual([
    {
      url: expect.stringMatching(/\/webhooks\/alertmanager$/),
      send_resolved: true,
      max_alerts: 0,
      http_config: { follow_redirects: false, authorization: { type: "Bearer", credentials_file: "webhook-token" } },
    },
  ]);
});
